"""Perplexity of every weight format beside that of the GGUF itself, on held-out Chinese and English text.

The GGUF's own is computed in float32 by `formats/reference.py`. `--write` keeps the numbers of the catalogue's models,
so that a first load need not measure them again: the conversion is deterministic. `--second` measures on the second
text alone, by which nothing was chosen, and adds it to what is known.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inkseal.catalog.catalog import Catalog
from inkseal.core.config import default_data_dir
from inkseal.core.events import ignore
from inkseal.formats import ir, perplexity
from inkseal.formats.checkpoint import GGUFCheckpoint
from inkseal.formats.openvino_core import silence_telemetry
from inkseal.studio.generate.backends._openvino_conversion import held_out_ids, known_ratios, measure
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
    ids = held_out_ids(checkpoint)
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


def measure_second(catalog: Catalog, name: str, known: dict[str, Any], formats: Sequence[str]) -> None:
    """Adds the perplexity on the second text to what is known of a model; the source's own is measured once."""
    model = catalog.pull(name)
    file_name = next(iter(model.files))
    checkpoint, facts = GGUFCheckpoint(model.folder / file_name), known[model.files[file_name]]
    found = facts.setdefault("second", {"source": {}, "ratios": {}})
    if not found["source"]:
        own = perplexity.source_perplexities(checkpoint, held_out_ids(checkpoint, second=True))
        found["source"] = {language: round(value, 5) for language, value in own.items()}
    backend = Openvino(OpenvinoConfig())
    for weight_format in formats:
        with tempfile.TemporaryDirectory() as folder:
            info = ir.build(checkpoint.source, Path(folder) / "ir", weight_format)
            properties = backend.accuracy_properties(weight_format, info.num_weights)
            ratios = measure(info.folder, checkpoint, properties, ignore, found["source"], second=True)
            found["ratios"][f"{weight_format}-v{ir.VERSION}"] = ratios
        print(name, weight_format, "second", ratios, file=sys.stderr, flush=True)


def table(known: dict[str, Any]) -> str:
    """Returns the Markdown table."""
    rows = [
        "| model | weights | text | perplexity zh | zh, of the GGUF | perplexity en | en, of the GGUF | accepted | MB |"
    ]
    rows.append("|---|---|---|---|---|---|---|---|---|")
    for facts in known.values():
        texts = {"first": facts} | ({"second": facts["second"]} if "second" in facts else {})
        for text, measured in texts.items():
            own = measured["source"]
            rows.append(
                f"| {facts['model']} | GGUF, float32 | {text} | {own['zh']:.2f} | 1 | {own['en']:.2f} | 1 | | |"
            )
        for key in facts["ratios"]:
            accepted = "yes" if all(r <= perplexity.LIMIT for r in known_ratios(facts, key).values()) else "**no**"
            for text, measured in texts.items():
                if ratios := measured["ratios"].get(key):
                    cells = [
                        f"{measured['source'][lang] * ratios[lang]:.2f} | {ratios[lang]:.3f}" for lang in ("zh", "en")
                    ]
                    size = facts["size_bytes"][key] / 1e6
                    name = key.rsplit("-", 1)[0]
                    rows.append(f"| | {name} | {text} | {cells[0]} | {cells[1]} | {accepted} | {size:.0f} |")
    return "\n".join(rows) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=["tiny", "small", "default"])
    parser.add_argument("--data-dir", type=Path, default=default_data_dir())
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--second", action="store_true", help="measure on the second text alone")
    parser.add_argument("--formats", nargs="*", default=FORMATS)
    options = parser.parse_args()
    silence_telemetry()
    known = json.loads(KNOWN.read_text("utf-8"))
    for name in options.models:
        catalog = Catalog(options.data_dir)
        if options.second:
            measure_second(catalog, name, known, options.formats)
        else:
            sha256, facts = measure_model(catalog, name)
            known[sha256] = facts | {"second": known[sha256]["second"]} if "second" in known.get(sha256, {}) else facts
        if options.write:
            KNOWN.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    print(table(known))


if __name__ == "__main__":
    main()
