"""What the engine makes of its loop's answers; the loop here is a script."""

import threading
from pathlib import Path
from typing import Any, cast

import pytest

import gguf_maker
from inkseal.core.protocols import LocalModel
from inkseal.formats.gguf import read_header
from inkseal.formats.gguf_vocabulary import tokenizer_from_gguf
from inkseal.modalities.text.request import TextRequest

pytest.importorskip("openvino_genai")

from inkseal.studio.generate.backends._openvino_engine import OpenvinoEngine
from inkseal.studio.generate.backends._openvino_loop import Job


class EndsAtOnce:
    """A loop in which every answer is over before its first token."""

    num_submitted = 0

    def submit(self, job: Job) -> None:
        self.num_submitted += 1
        job.sink.push([], "stop")

    def cancel(self, job: Job) -> None:
        pass


@pytest.mark.timeout(20)
def test_the_other_results_follow_when_the_first_ends_without_a_token(tmp_path: Path) -> None:
    tokens, keys = gguf_maker.byte_vocabulary()
    (tmp_path / "m.gguf").write_bytes(
        gguf_maker.decoder("llama", vocabulary=len(tokens), tokens=tokens, extra=keys, context=512)
    )
    tokenizer = tokenizer_from_gguf(read_header(tmp_path / "m.gguf").metadata)
    loop = EndsAtOnce()
    engine = OpenvinoEngine(cast("LocalModel", None), cast("Any", loop), tokenizer, None, cast("Any", None), 512)
    request = TextRequest.of("x", n=3, max_tokens=8, raw_prompt=True)
    chunks = list(engine.generate(request, threading.Event()))
    assert loop.num_submitted == 3
    assert [(chunk.index, chunk.finish_reason) for chunk in chunks] == [(0, "stop"), (1, "stop"), (2, "stop")]
