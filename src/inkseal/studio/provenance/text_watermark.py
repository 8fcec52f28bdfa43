"""Looks for this installation's watermark in a text that came without any metadata, with numpy alone.

Knows the tokenizers of the models that are installed here. A text by a model that is gone, or too short, too much
changed or too predictable, looks like any other: finding nothing shows nothing.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice, product
from pathlib import Path

from inkseal.catalog.catalog import Catalog
from inkseal.core.errors import InksealError
from inkseal.core.language import say
from inkseal.core.types import Closed, WatermarkScore
from inkseal.formats.gguf import read_header
from inkseal.formats.gguf_vocabulary import tokenizer_from_gguf
from inkseal.formats.tokenizer import Tokenizer
from inkseal.formats.tokenizer_json import tokenizer_from_folder
from inkseal.formats.watermarks import key_id, watermarks
from inkseal.studio.provenance.trust import Trust

FALSE_ALARMS = 1e-4
"""Of so many texts from elsewhere one is taken for ours, all tests of it together."""
MAX_TOKENS = 2_000
MAX_CHARS = 16 * MAX_TOKENS
MAX_TOKENIZERS = 8


class WatermarkFinding(Closed):
    """The most telling of the tests of a text.

    Attributes:
        model: whose tokenizer the text was read with.
        p_value: times the number of tests: how often a text from elsewhere has one as telling.
    """

    key_id: str
    model: str
    best: WatermarkScore
    num_tests: int
    p_value: float

    @property
    def found(self) -> bool:
        """True when chance explains it less often than `FALSE_ALARMS`."""
        return self.p_value <= FALSE_ALARMS

    def sentence(self) -> str:
        """Returns what it means, no stronger than the score."""
        best = self.best
        facts = f"{best.watermark}, p = {self.p_value:.2g}, n = {best.num_tokens}"
        if self.found:
            return say(
                f"Watermark of this installation found ({facts}): chance does this to one text in "
                f"{1 / FALSE_ALARMS:,.0f} from elsewhere. It does not show that nothing was changed.",
                f"发现本机水印（{facts}）：外来文本偶然如此的不超过 1/{1 / FALSE_ALARMS:,.0f}；不表明内容未被改动。",
            )
        return say(
            f"No watermark of this installation found ({facts}), which does not show that it was made elsewhere.",
            f"未发现本机水印（{facts}）；但不能据此认定其来自别处。",
        )


def find_watermark(trust: Trust, data_dir: Path, text: str) -> WatermarkFinding | None:
    """Returns the most telling test of the text; None when there is no key, no tokenizer, or nothing to test."""
    if not trust.has_watermark_secret or not text.strip():
        return None
    secret = trust.watermark_secret()
    tests = list(product(islice(_tokenizers(data_dir), MAX_TOKENIZERS), watermarks))
    scores = [
        (model, watermarks[name](secret).score(tokenizer.encode(text[:MAX_CHARS])[:MAX_TOKENS]))
        for (model, tokenizer), name in tests
    ]
    if not any(score.num_tokens for _, score in scores):
        return None
    model, best = min(scores, key=lambda pair: pair[1].p_value)
    corrected = min(1.0, best.p_value * len(tests))
    return WatermarkFinding(key_id=key_id(secret), model=model, best=best, num_tests=len(tests), p_value=corrected)


def _tokenizers(data_dir: Path) -> Iterator[tuple[str, Tokenizer]]:
    """Yields (model's name, tokenizer) of the installed models that an engine with watermarks runs, each one once."""
    seen: set[str] = set()
    for entry in Catalog(data_dir).list():
        card = entry.card
        vocabulary = next((f for f in card.files if f.name == "tokenizer.json" or f.name.endswith(".gguf")), None)
        if entry.installed is None or card.task != "generate" or vocabulary is None or vocabulary.sha256 in seen:
            continue
        seen.add(vocabulary.sha256)
        try:
            yield card.name, _tokenizer(data_dir / "models" / card.name / vocabulary.name, vocabulary.sha256)
        except InksealError:  # a kind that the engines refuse as well
            continue


@lru_cache(maxsize=MAX_TOKENIZERS)
def _tokenizer(path: Path, sha256: str) -> Tokenizer:
    if path.suffix == ".gguf":
        return tokenizer_from_gguf(read_header(path).metadata)
    return tokenizer_from_folder(path.parent)
