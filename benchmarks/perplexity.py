"""Perplexity of every weight format beside that of the GGUF itself, on held-out Chinese and English text.

The GGUF's own is computed in float32 by `formats/reference.py`. `--write` keeps the numbers of the catalogue's models,
so that a first load need not measure them again: the conversion is deterministic.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from inkseal.catalog.catalog import Catalog
from inkseal.core.config import default_data_dir
from inkseal.core.events import ignore
from inkseal.formats import ir, perplexity
from inkseal.formats.checkpoint import GGUFCheckpoint
from inkseal.formats.openvino_core import silence_telemetry
from inkseal.formats.perplexity import LANGUAGES, held_out_text
from inkseal.studio.generate.backends._openvino_conversion import measure
from inkseal.studio.generate.backends.openvino import Openvino, OpenvinoConfig

ROOT = Path(__file__).parents[1]
KNOWN = ROOT / "src" / "inkseal" / "formats" / "heldout" / "known.json"
FORMATS = ("int8", "int4_exact_32", "int4_asym_64", "int4_sym_128")


def measure_model(catalog: Catalog, name: str) -> tuple[str, dict[str, Any]]:
    """Returns the source's hash with its perplexities and each format's ratios, seconds and size."""
    model = catalog.pull(name)
    file_name = next(iter(model.files))
    source = model.folder / file_name
    checkpoint = GGUFCheckpoint(source)
    tokenizer = checkpoint.tokenizer()
    ids = {language: tokenizer.encode(held_out_text(language)) for language in LANGUAGES}
    own = {language: round(value, 5) for language, value in perplexity.source_perplexities(checkpoint, ids).items()}
    print(name, "source", own, {language: len(found) for language, found in ids.items()}, file=sys.stderr, flush=True)
    facts: dict[str, Any] = {"model": model.name, "source": own, "ratios": {}, "seconds": {}, "size_bytes": {}}
    backend = Openvino(OpenvinoConfig())
    for weight_format in FORMATS:
        with tempfile.TemporaryDirectory() as folder:
            begin = time.perf_counter()
            info = ir.build(source, Path(folder) / "ir", weight_format)
            key = f"{weight_format}-v{ir.VERSION}"
            facts["seconds"][key] = round(time.perf_counter() - begin, 1)
            facts["size_bytes"][key] = info.size_bytes
            properties = backend.accuracy_properties(weight_format, info.num_weights)
            facts["ratios"][key] = measure(info.folder, checkpoint, properties, ignore, own)
        print(name, key, facts["ratios"][key], facts["seconds"][key], file=sys.stderr, flush=True)
    return model.files[file_name], facts


def table(known: dict[str, Any]) -> str:
    """Returns the Markdown table."""
    rows = ["| model | weights | perplexity zh | zh, of the GGUF | perplexity en | en, of the GGUF | accepted | MB |"]
    rows.append("|---|---|---|---|---|---|---|---|")
    for facts in known.values():
        own = facts["source"]
        rows.append(f"| {facts['model']} | GGUF, float32 | {own['zh']:.2f} | 1 | {own['en']:.2f} | 1 | | |")
        for key, ratios in facts["ratios"].items():
            accepted = "yes" if all(ratio <= perplexity.LIMIT for ratio in ratios.values()) else "**no**"
            cells = [f"{own[lang] * ratios[lang]:.2f} | {ratios[lang]:.3f}" for lang in ("zh", "en")]
            size = facts["size_bytes"][key] / 1e6
            rows.append(f"| | {key.rsplit('-', 1)[0]} | {cells[0]} | {cells[1]} | {accepted} | {size:.0f} |")
    return "\n".join(rows) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=["tiny", "small", "default"])
    parser.add_argument("--data-dir", type=Path, default=default_data_dir())
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    silence_telemetry()
    known = json.loads(KNOWN.read_text("utf-8"))
    for name in options.models:
        sha256, facts = measure_model(Catalog(options.data_dir), name)
        known[sha256] = facts
        if options.write:
            KNOWN.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    print(table(known))


if __name__ == "__main__":
    main()
