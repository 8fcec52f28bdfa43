"""Placeholders are reversible, stable in a run, and never meet a foreign one."""

from hypothesis import given
from hypothesis import strategies as st

from inkseal.core.types import Origin, Part
from inkseal.studio.guard.checks.personal_data import PersonalData, PersonalDataConfig
from inkseal.studio.guard.policy import redact

ID, PHONE, MAIL = "11010519491231002X", "13800138000", "li.lei@corp.cn"


def _redacting() -> PersonalData:
    return PersonalData(PersonalDataConfig(own_action="redact", result_action="redact"))


def test_defaults_flag_own_words_and_redact_foreign_ones() -> None:
    check = PersonalData(PersonalDataConfig())
    assert check.inspect([Part(text=PHONE)], "prompt").action == "flag"
    assert check.inspect([Part(text=PHONE)], "prompt").findings[0].replacement is None
    for origin in (Origin.DOCUMENT, Origin.TOOL, Origin.WEB):
        assert check.inspect([Part(text=PHONE, origin=origin)], "prompt").findings[0].replacement == "⟨MOBILE_1⟩"
    assert check.inspect([Part(text=PHONE, origin=Origin.ASSISTANT)], "result").action == "flag"


def test_equal_values_get_equal_numbers_across_parts_stages_and_forms() -> None:
    check = _redacting()
    first = check.inspect([Part(text=f"{PHONE} 和 138-0013-8000"), Part(text=f"{PHONE} 13911112222")], "prompt")
    assert [f.replacement for f in first.findings] == ["⟨MOBILE_1⟩", "⟨MOBILE_1⟩", "⟨MOBILE_1⟩", "⟨MOBILE_2⟩"]
    later = check.inspect([Part(text="13911112222", origin=Origin.ASSISTANT)], "result")
    assert [f.replacement for f in later.findings] == ["⟨MOBILE_2⟩"]


def test_a_foreign_placeholder_is_never_issued_again() -> None:
    check = _redacting()
    verdict = check.inspect([Part(text=f"⟨MOBILE_1⟩ ⟨MOBILE_7⟩ {PHONE}")], "prompt")
    assert [f.replacement for f in verdict.findings] == ["⟨MOBILE_8⟩"]


@given(st.lists(st.sampled_from([ID, PHONE, MAIL, "，", " 你好 ", "a b", "护照E12345678", "⟨EMAIL_1⟩"]), max_size=10))
def test_redaction_is_reversible(pieces: list[str]) -> None:
    text = "，".join(pieces)
    findings = _redacting().inspect([Part(text=text)], "prompt").findings
    restore: dict[str, str] = {}
    (part,) = redact([Part(text=text)], findings, restore)
    for secret in (ID, PHONE, MAIL, "E12345678"):
        assert secret not in part.text
    for placeholder, original in restore.items():
        part = part.model_copy(update={"text": part.text.replace(placeholder, original)})
    assert part.text == text


def test_kinds_and_certainty_can_be_chosen() -> None:
    only = PersonalData(PersonalDataConfig(kinds=frozenset({"email"})))
    assert {f.category for f in only.inspect([Part(text=f"{PHONE} {MAIL}")], "prompt").findings} == {"email"}
    unsure = PersonalData(PersonalDataConfig(min_score=0.3))
    assert [f.category for f in unsure.inspect([Part(text="E12345678")], "prompt").findings] == ["passport"]
