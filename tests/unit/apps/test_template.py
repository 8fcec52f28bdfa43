"""The language of prompts: values are data, whatever they hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.apps.template import Bound, filled, names, parse, plain, render
from inkseal.core.errors import InvalidRequest
from inkseal.core.language import use_language
from inkseal.core.types import Origin


def scope(**values: object) -> dict[str, Bound]:
    return {name: Bound(value) for name, value in values.items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a {{name}} b", "a Ann b"),
        ("{{who.name}}/{{who.none}}", "Bo/"),
        ("{{#list}}[{{@n}}:{{.}}]{{/list}}", "[1:x][2:y]"),
        ("{{#rows}}{{key}}={{value}};{{/rows}}", "k=1;l=2;"),
        ("{{#empty}}no{{/empty}}{{^empty}}yes{{/empty}}", "yes"),
        ("{{#name}}\nline {{name}}\n{{/name}}\nend", "line Ann\nend"),
        ("{{list}}", "x, y"),
        ("{{zero}}{{#zero}}!{{/zero}}", "0!"),
        ("{{flag}}", "yes"),
        ("{{share}} {{whole}}", "0.5 3"),
    ],
)
def test_names_lists_and_conditions(text: str, expected: str) -> None:
    values = scope(name="Ann", who={"name": "Bo"}, list=["x", "y"], empty="", zero=0, flag=True, share=0.5, whole=3.0)
    values["rows"] = Bound([{"key": "k", "value": 1}, {"key": "l", "value": 2}])
    assert plain(text, values) == expected


def test_lists_and_switches_are_said_in_the_language() -> None:
    with use_language("zh"):
        assert plain("{{list}} {{flag}}", scope(list=["甲", "乙"], flag=False)) == "甲、乙 否"


@given(st.text(max_size=80))
def test_a_value_is_never_read_as_a_template(value: str) -> None:
    tricky = value + "{{secret}}{{#secret}}x{{/secret}}"
    assert plain("<{{name}}>", scope(name=tricky, secret="S")) == f"<{tricky}>"


def test_each_piece_says_where_it_comes_from() -> None:
    values = {"a": Bound("mine"), "b": Bound("theirs", Origin.DOCUMENT)}
    pieces = render("x{{a}}y{{b}}", values)
    assert [(piece.text, piece.origin) for piece in pieces] == [
        ("x", Origin.SYSTEM),
        ("mine", Origin.USER),
        ("y", Origin.SYSTEM),
        ("theirs", Origin.DOCUMENT),
    ]


def test_items_of_a_document_are_the_documents() -> None:
    pieces = render("{{#rows}}{{text}}{{/rows}}", {"rows": Bound([{"text": "t"}], Origin.DOCUMENT)})
    assert [piece.origin for piece in pieces] == [Origin.DOCUMENT]


@pytest.mark.parametrize(
    "text", ["{{", "{{a b}}", "{{#a}}", "{{/a}}", "{{#a}}{{/b}}", "{{a.__class__.}}", "{{ a }}", "{{a()}}", "{{!x}}"]
)
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        parse(text)


def test_python_attributes_are_out_of_reach() -> None:
    assert plain("{{name.__class__}}", scope(name="x")) == ""


def test_sections_nest_only_so_deep() -> None:
    with pytest.raises(InvalidRequest):
        parse("{{#a}}" * 9 + "{{/a}}" * 9)


def test_nested_lists_cannot_blow_up() -> None:
    values = scope(a=["x" * 100] * 100)
    with pytest.raises(InvalidRequest):
        plain("{{#a}}{{#a}}{{#a}}{{.}}{{/a}}{{/a}}{{/a}}", values)


def test_nested_lists_that_write_nothing_end_too() -> None:
    with pytest.raises(InvalidRequest, match="too long"):
        plain("{{#x}}{{#x}}{{#x}}{{/x}}{{/x}}{{/x}}", scope(x=[1] * 1000))


def test_an_empty_field_bounds_nothing() -> None:
    schema = {"minItems": "{{n}}", "maxItems": "{{zero}}", "enum": ["{{n}}"], "const": None}
    assert filled(schema, scope(n=None, zero=0)) == {"maxItems": 0, "enum": [None], "const": None}


def test_the_names_it_asks_for() -> None:
    assert names("{{a.b}}{{#c}}{{d}}{{/c}}{{^e}}{{/e}}") == {"a", "c", "e"}


def test_a_schema_takes_numbers_as_numbers() -> None:
    schema = {"minItems": "{{n}}", "items": {"enum": "{{labels}}"}, "title": "{{n}} things"}
    found = filled(schema, scope(n=3, labels=["a", "b"]))
    assert found == {"minItems": 3, "items": {"enum": ["a", "b"]}, "title": "{{n}} things"}
