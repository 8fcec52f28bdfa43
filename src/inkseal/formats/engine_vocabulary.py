"""Writes the vocabulary in the form that the engine reads: what it holds constraints against.

The engine is given token ids and gives token ids back, so it needs no graph that encodes text; see `tokenizer`.
"""

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from inkseal.core.errors import MissingDependency
from inkseal.formats.openvino_core import silence_telemetry
from inkseal.formats.tokenizer import Tokenizer


def save_vocabulary(tokenizer: Tokenizer, folder: Path) -> None:
    """Writes a graph that turns ids into text, and beside it which id ends an answer.

    Hidden ids stand there for no bytes, so that no constraint can be met by writing a control token.
    """
    silence_telemetry()
    import openvino
    from openvino import opset13

    pieces = tokenizer.shown_pieces
    ends = np.cumsum([len(piece) for piece in pieces], dtype=np.int32)
    begins = np.concatenate([np.zeros(1, np.int32), ends[:-1]])
    letters = np.frombuffer(b"".join(pieces), np.uint8)
    end_id = tokenizer.end_id
    skipped = np.array([end_id], np.int32)  # the engine cannot read a graph that skips none
    ids = opset13.parameter([-1, -1], np.int64, name="ids")
    constants = [opset13.constant(values).output(0) for values in (begins, ends, letters, skipped)]
    decoded = _extension().create("VocabDecoder", [ids.output(0), *constants], {"skip_tokens": []})
    joined = _extension().create("FuzeRagged", [decoded.output(place) for place in range(4)])
    parts = [joined.output(0), joined.output(1), decoded.output(4)]
    texts = _extension().create("StringTensorPack", parts, {"mode": "begins_ends"})
    texts.output(0).set_names({"string_output"})
    model = openvino.Model([opset13.result(texts.output(0))], [ids], "detokenizer")
    openvino.save_model(model, folder / "openvino_detokenizer.xml", compress_to_fp16=False)
    (folder / "config.json").write_text(json.dumps({"eos_token_id": end_id, "pad_token_id": end_id}), "utf-8")


@cache
def _extension() -> Any:
    """Returns a factory of the extension's operations.

    Its Python package is found, not imported: that would change OpenVINO's own classes.
    """
    from openvino.utils.node_factory import NodeFactory

    found = find_spec("openvino_tokenizers")
    libraries = sorted(Path(found.origin).parent.glob("lib/*openvino_tokenizers.*")) if found and found.origin else []
    if not libraries:
        raise MissingDependency("openvino-tokenizers", "openvino")
    factory = NodeFactory()
    factory.add_extension(libraries[0])
    return factory
