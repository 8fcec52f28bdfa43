"""What is known of the catalogue's models: the gate looks at both held-out texts where both were measured."""

from inkseal.formats.perplexity import LANGUAGES, LIMIT, held_out_text
from inkseal.studio.generate.backends._openvino_conversion import _known, known_ratios


def test_ratios_of_both_texts_stand_side_by_side() -> None:
    known = {
        "ratios": {"int8-v1": {"zh": 1.0, "en": 1.01}},
        "second": {"ratios": {"int8-v1": {"zh": 1.02, "en": 1.03}}},
    }
    assert known_ratios(known, "int8-v1") == {"zh": 1.0, "en": 1.01, "zh_second": 1.02, "en_second": 1.03}
    assert known_ratios({"ratios": known["ratios"]}, "int8-v1") == {"zh": 1.0, "en": 1.01}
    assert known_ratios({}, "int8-v1") == {}


def test_the_formats_that_are_tried_first_are_accepted_for_every_known_model() -> None:
    for facts in _known().values():
        for weight_format in ("int8-v1", "int4_exact_32-v1"):
            assert max(known_ratios(facts, weight_format).values()) <= LIMIT


def test_the_two_texts_share_nothing() -> None:
    for language in LANGUAGES:
        first, second = held_out_text(language), held_out_text(language, second=True)
        assert len(second) > 1.4 * len(first)
        pieces = {first[i : i + 20] for i in range(len(first) - 19)}
        assert not any(second[i : i + 20] in pieces for i in range(len(second) - 19))
