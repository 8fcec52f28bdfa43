"""The structured template, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.apps.structured_prompt import KEYS, StructuredPrompt, build, parse
from inkseal.core.errors import InvalidRequest
from inkseal.core.language import Language

ENVIRONMENT = (("subject", ("环保",)), ("style", ("卡通",)), ("elements", ("地球", "树木", "太阳能板")))


@pytest.mark.parametrize(
    "text",
    [
        "主题: 环保; 风格: 卡通; 元素: 地球 树木 太阳能板",
        "主题：环保；风格：卡通；元素：地球、树木、太阳能板",
        "主题: 环保\n风格: 卡通\n元素: 地球，树木，太阳能板",
        "subject: 环保; style: 卡通; elements: 地球, 树木 , 太阳能板;",
        "Topic：环保\r\nSTYLE: 卡通\r\n\r\nelement:地球  树木　太阳能板",
        '主题: "环保"; 风格: “卡通”; 元素: 地球 「树木」 太阳能板',
    ],
)
def test_one_template_in_many_hands(text: str) -> None:
    assert parse(text).entries == ENVIRONMENT


def test_a_text_without_keys_is_the_subject() -> None:
    assert parse("a cat on a roof").entries == (("subject", ("a cat on a roof",)),)


def test_unknown_keys_stay_as_they_are() -> None:
    assert parse("主题: 茶; 尺寸: 16:9").entries == (("subject", ("茶",)), ("尺寸", ("16:9",)))


def test_values_with_marks_stand_in_quotes() -> None:
    prompt = StructuredPrompt((("subject", ('a "b"; c: d\n',)), ("elements", ("red car", "x"))))
    text = build(prompt, "en")
    assert text == 'subject: "a \\"b\\"; c: d\\n"; elements: "red car" x'
    assert parse(text) == prompt


@pytest.mark.parametrize("text", ["", " \n", "主题: 一; 主题: 二", "主题: 一; 没有键", '主题: "没有结尾', "x" * 5000])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        parse(text)


_lists = ("elements", "colours", "avoid")
_value = st.text(max_size=30)
_own_key = st.text(min_size=1, max_size=12).filter(lambda key: key == key.strip())
_known = {word.casefold() for words in KEYS.values() for word in words}


@st.composite
def prompts(draw: st.DrawFn) -> StructuredPrompt:
    keys = draw(st.lists(st.sampled_from(sorted(KEYS)), min_size=1, max_size=6, unique=True))
    entries = []
    for key in keys:
        number = draw(st.integers(0, 4)) if key in _lists else 1
        entries.append((key, tuple(draw(_value) for _ in range(number))))
    return StructuredPrompt(tuple(entries))


@given(prompts(), st.sampled_from(["en", "zh"]))
def test_what_was_built_is_read_again(prompt: StructuredPrompt, language: Language) -> None:
    assert parse(build(prompt, language)) == prompt


@given(st.text(max_size=120))
def test_any_text_is_read_or_refused_and_what_is_read_is_stable(text: str) -> None:
    try:
        found = parse(text)
    except InvalidRequest:
        return
    assert parse(build(found, "zh")) == found
