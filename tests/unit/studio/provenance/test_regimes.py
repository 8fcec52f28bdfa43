import pytest

from inkseal.core.types import Regime
from inkseal.studio.provenance.regimes import all_wordings, requirements, rules, visible_wordings

ALL = frozenset({"visible", "metadata", "signed", "c2pa", "record"})
PRODUCER = "0011" + "91110000802100433B" + "00001"


def _unmet(regime: Regime, **facts: object) -> set[str]:
    given = {"modality": "text", "layers": ALL, "num_tokens": 500, "producer": PRODUCER, **facts}
    return {r.id for r in requirements(regime, **given) if not r.met}  # type: ignore[arg-type]


def test_chinese_wording_holds_what_the_standard_asks() -> None:
    for wording in rules("cn").wording.values():
        assert "AI" in wording or "人工智能" in wording
        assert "生成" in wording or "合成" in wording


@pytest.mark.parametrize(
    ("regime", "language", "labels"),
    [
        ("none", "zh", ()),
        ("cn", "zh", ("AI生成",)),
        ("cn", "en", ("AI-generated (AI生成)",)),
        ("eu", "en", ("AI-generated",)),
        ("both", "en", ("AI-generated (AI生成)",)),
        ("both", "zh-CN", ("AI生成",)),
    ],
)
def test_wordings_follow_regime_and_language(regime: Regime, language: str, labels: tuple[str, ...]) -> None:
    assert visible_wordings(regime, language) == labels
    assert set(labels) <= all_wordings()


def test_a_long_text_without_watermark_does_not_meet_the_code() -> None:
    assert _unmet("eu") == {"eu.watermark"}
    assert _unmet("eu", num_tokens=201) == {"eu.watermark"}
    assert _unmet("eu", num_tokens=200) == set()
    assert _unmet("eu", num_tokens=None) == {"eu.watermark"}
    assert _unmet("eu", modality="image", num_tokens=None) == {"eu.watermark"}
    assert _unmet("eu", modality="audio", num_tokens=None) == set()
    assert _unmet("eu", layers=ALL | {"watermark"}) == set()


@pytest.mark.parametrize("producer", ["", "001", PRODUCER[:-1], PRODUCER + "0", PRODUCER.lower()])
def test_a_producer_code_must_be_one(producer: str) -> None:
    assert _unmet("cn", producer=producer) == {"cn.producer"}
    assert _unmet("cn") == set()


def test_what_is_missing_is_said_with_its_reason() -> None:
    (watermark,) = [r for r in requirements("eu", modality="text", layers=ALL) if r.id == "eu.watermark"]
    assert "engine" in watermark.reason
    assert "Code of practice" in watermark.source


def test_a_signed_seal_without_content_credentials_is_said_so() -> None:
    (signed,) = [r for r in requirements("eu", modality="text", layers=ALL - {"c2pa"}) if r.layer == "signed"]
    assert signed.met
    assert "no C2PA" in signed.reason


def test_no_regime_asks_nothing() -> None:
    assert requirements("none", modality="text", layers=frozenset()) == ()
