"""Rules on answers: what meets them, what does not, and what code mends."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.apps.computations.choice_marks import ChoiceMarks
from inkseal.apps.computations.code_change import CodeChange
from inkseal.apps.computations.marks_total import MarksTotal
from inkseal.apps.computations.quiz_sheet import QuizSheet
from inkseal.apps.computations.sentences import Sentences
from inkseal.apps.contracts import Answer, Facts
from inkseal.apps.rules import rules
from inkseal.apps.template import Bound
from inkseal.core.errors import InvalidRequest

TEXT = "The pool closes in August. A crack leaks 9,000 litres a day. Repair costs 2 million."
SOURCE = Sentences().run({"text": TEXT}, "en")


def facts(**values: Any) -> Facts:
    return Facts({name: Bound(value) for name, value in values.items()}, "en")


def problems(kind: str, answer: str | dict[str, Any], given: Facts | None = None, **fields: Any) -> list[str]:
    made = rules[kind](rules[kind].config.model_validate({"kind": kind, **fields}))
    found = Answer(answer) if isinstance(answer, str) else Answer(str(answer), answer)
    return made.problems(found, given or facts())


def mended(kind: str, answer: str | dict[str, Any], given: Facts | None = None, **fields: Any) -> Answer:
    made = rules[kind](rules[kind].config.model_validate({"kind": kind, **fields}))
    found = Answer(answer) if isinstance(answer, str) else Answer(str(answer), answer)
    return made.mend(found, given or facts())


@pytest.mark.parametrize(
    ("kind", "fields", "good", "bad"),
    [
        ("length", {"min": 3, "max": 5}, "one two three", "one two"),
        ("length", {"max": 4}, "春眠不觉", "春眠不觉晓"),
        ("length", {"min": "{{least}}"}, "a b c", "a b"),
        ("lines", {"count": 2}, "a\n\nb", "a\nb\nc"),
        ("lines", {"letters": 5}, "床前明月光，\n疑是地上霜。", "床前明月光，\n疑是霜。"),
        (
            "lines",
            {"count": 4, "letters": 5, "split_verse": True},
            "床前明月光，疑是地上霜。\n举头望明月，低头思故乡。",
            "床前",
        ),
        ("lines", {"max_words": 2}, "a b\nc", "a b c"),
        ("contains", {"all": ["{{name}}"]}, "hello ANN", "hello"),
        ("contains", {"any": ["x", "y"]}, "y", "z"),
        ("contains", {"none": ["bad"]}, "fine", "so BAD"),
        ("contains", {"all": ["Watering-can"]}, "an old watering can", "an old wateringcan"),
        ("contains", {"each": "list"}, "a and b", "a"),
        ("contains", {"each": "list", "at_least": 1}, "b", "c"),
        ("language", {}, "This is English.", "这是中文。"),
        ("language", {"wanted": "zh"}, "这是中文，用 Python。", "This is not."),
        ("pattern", {"regex": "^- "}, "- x", "x"),
        ("pattern", {"regex": "#", "absent": True}, "x", "# x"),
        ("headings", {"min": 2}, "# a\n\n**b**\n\nc", "# a"),
        ("headings", {"named": [{"en": "Goal", "zh": "目标"}]}, "## Our goal", "## Other"),
        ("repeats", {}, "word " * 10, "the same line of words again\n" * 3),
        ("code", {}, "```python\nx = 1\n```", "```python\nx = = 1\n```"),
        ("code", {"language_name": "json"}, '```json\n{"a": 1}\n```', "```json\n{a}\n```"),
        ("code", {"language_name": "javascript"}, "```js\nf(() => { 1; });\n```", "```js\nf(() => { 1; );\n```"),
        ("code", {}, "```\nx = 1\n```", "no code"),
        ("code", {"language_name": "rust"}, "```\nfn f<'a>(x: &'a str) -> &'a str { x }\n```", "```\nfn f( { x }\n```"),
        (
            "code",
            {"language_name": "JavaScript"},
            '```\ns.replace("\\\\", "/")\n```',
            '```\ns.replace("\\\\", "/"\n```',
        ),
        ("code", {"language_name": "js"}, "```\nx = /[(]/.test(y); // it's :(\n```", "```\nx = (/[(]/.test(y);\n```"),
        ("code", {"language_name": "bash"}, "```\ncase $1 in a) echo 1;; esac\n```", "no code"),
        ("contains", {"without": "list"}, "c, d", "a"),
        ("contains", {"all": ["Terms & conditions"]}, "<a>Terms &amp; conditions</a>", "<a>Terms</a>"),
        ("contains", {"all": ['12"']}, {"text": '12" wide'}, {'12"': "wide"}),
        ("pattern", {"regex": "random"}, {"steps": ["by random", "weigh"]}, {"random": ["weigh"]}),
        ("length", {"max": 2}, {"one": "two three"}, {"one": "two three", "more": 4}),
        ("numbers", {"known": ["source"]}, "It costs 2 million.", "It costs 3 million."),
        ("numbers", {"known": ["source"], "all": True}, "9,000 and 2 million, 2", "9,000"),
    ],
)
def test_what_meets_a_rule_and_what_does_not(kind: str, fields: dict[str, Any], good: str, bad: str) -> None:
    given = facts(name="Ann", list=["a", "b"], least=3, source=TEXT)
    assert problems(kind, good, given, **fields) == []
    assert problems(kind, bad, given, **fields)


def test_an_empty_count_is_not_asked_for() -> None:
    assert problems("lines", "a\nb", facts(count=None), count="{{count}}") == []


def test_a_list_has_so_many_different_items() -> None:
    data = {"items": ["a", "b", "A "]}
    assert problems("items", data, path="items[]", count=3) == []
    assert problems("items", data, path="items[]", count=2)
    assert problems("items", data, path="items[]", unique=True)


def test_verse_is_put_on_lines_of_its_own() -> None:
    text = "1. 床前明月光，疑是地上霜。\n- 举头望明月，低头思故乡。"
    found = mended("lines", text, count=4, letters=5, split_verse=True)
    assert found.text == "床前明月光，\n疑是地上霜。\n举头望明月，\n低头思故乡。"


def test_sentences_with_numbers_of_its_own_are_taken_out() -> None:
    text = "It closes in August. About 7,000 people swim there. The crack leaks 9,000 litres."
    assert mended("numbers", text, facts(source=TEXT), known=["source"], drop=True).text == (
        "It closes in August.  The crack leaks 9,000 litres."
    )
    assert mended("numbers", text, facts(source=TEXT), known=["source"]).text == text


CLAIMS = {
    "claims": [
        {"text": "The pool closes in August.", "sentences": [1]},
        {"text": "A crack leaks litres every day.", "sentences": [2]},
    ]
}


def test_claims_rest_on_the_sentences_they_name() -> None:
    assert problems("references", CLAIMS, facts(source=SOURCE), sentences="source.items") == []


@pytest.mark.parametrize(
    "claim",
    [
        {"text": "The pool closes in August.", "sentences": [9]},
        {"text": "The pool closes in August.", "sentences": []},
        {"text": "Dragons guard golden mountains.", "sentences": [1]},
        {"text": "The pool closes.", "sentences": [1, 2, 3, 1, 2]},
    ],
)
def test_a_claim_that_is_not_borne_out_goes(claim: dict[str, Any]) -> None:
    data = {"claims": [*CLAIMS["claims"], claim]}
    assert problems("references", data, facts(source=SOURCE), sentences="source.items")
    kept = mended("references", data, facts(source=SOURCE), sentences="source.items")
    assert kept.data == CLAIMS


def test_chinese_claims_share_words_however_they_are_cut() -> None:
    source = Sentences().run({"text": "市图书馆新馆于周一开放。夜间开放时间延长到晚上十点。"}, "zh")
    good = {"claims": [{"text": "图书馆新馆周一开放", "sentences": [1]}]}
    bad = {"claims": [{"text": "公园门票免费了", "sentences": [1]}]}
    assert problems("references", good, facts(source=source), sentences="source.items") == []
    assert problems("references", bad, facts(source=source), sentences="source.items")


QUIZ = {
    "questions": [
        {"question": "2+2?", "options": ["3", "4", "5", "6"], "answer": "4", "explanation": ""},
        {"question": "Why?", "options": [], "answer": "Because.", "explanation": ""},
    ]
}


def nodes(*targets: tuple[int, ...]) -> dict[str, Any]:
    return {"nodes": [{"choices": [{"text": "go", "to": to} for to in some]} for some in targets]}


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (nodes((2, 3), (3, 1), ()), []),
        (nodes((2,), (3, 1), ()), ["2 choices are needed, not 1"]),
        (nodes((3, 3), (3, 1), ()), ["leads to node 2"]),
        (nodes((2, 3), (3, 3), (1, 2)), ["must end"]),
    ],
)
def test_a_dialogue_can_be_played(made: dict[str, Any], why: list[str]) -> None:
    found = problems("dialogue", made)
    assert len(found) == len(why)
    assert all(part in line for part, line in zip(why, found, strict=True))


targets = st.integers(3, 7).flatmap(
    lambda count: st.lists(
        st.lists(st.integers(1, count), min_size=2, max_size=3).map(tuple), min_size=count, max_size=count
    )
)


@given(targets)
def test_a_mended_dialogue_says_the_same_and_loses_no_node(made: list[tuple[int, ...]]) -> None:
    before = nodes(*made)
    after = mended("dialogue", before).data
    assert [len(node["choices"]) for node in after["nodes"][:-1]] == [len(some) for some in made[:-1]]
    assert not problems("dialogue", after)


def test_a_quiz_can_be_answered() -> None:
    assert problems("quiz", QUIZ) == []
    first = QUIZ["questions"][0]
    for change in ({"answer": "7"}, {"options": ["4", "4", "5", "6"]}, {"options": ["3", "4"]}, {"question": " "}):
        assert problems("quiz", {"questions": [{**first, **change}]})
    assert problems("quiz", {"questions": [first, first]})


@pytest.mark.parametrize(
    ("given", "right"),
    [
        *[(given, True) for given in ("4", "B", "b)", "(B)", "B. 4", "B、4", "B：4", "(b) 4", "B) it is four", "b 4")],
        *[(given, False) for given in ("A", "44", "B. 5", "A 4", "b it is", "")],
    ],
)
def test_choices_are_marked_exactly(given: str, right: bool) -> None:
    marks = ChoiceMarks().run({"quiz": QUIZ, "answers": [given, "x"]}, "en")
    assert marks["choices"][0]["is_right"] is right
    assert [row["number"] for row in marks["open"]] == [2]


def test_a_quiz_is_put_together_so_that_the_place_of_an_option_says_nothing() -> None:
    keys = [{"answer": str(n), "wrong": [str(n + 1), str(n + 2), str(n + 3)], "explanation": "so"} for n in range(40)]
    made = QuizSheet().run({"questions": [f"Question {n}?" for n in range(40)], "keys": keys}, "en")["questions"]
    assert made[-1]["options"] == []
    places = {question["options"].index(question["answer"]) for question in made[:-1]}
    assert places == {0, 1, 2, 3}
    assert problems("quiz", {"questions": made}) == []
    marks = ChoiceMarks().run({"quiz": {"questions": made}, "answers": [str(n) for n in range(40)]}, "en")
    assert (marks["num_right"], marks["num_choices"]) == (39, 39)


def test_wrong_answers_that_are_right_or_the_same_are_left_out_of_a_quiz() -> None:
    keys = [
        {"answer": "Beijing", "wrong": ["beijing ", "Xi'an", "Wuhan"], "explanation": "so"},
        {"answer": "4", "wrong": ["４", "4", "5"], "explanation": "so"},
        {"answer": "free", "wrong": [], "explanation": "so"},
    ]
    first, second, _ = QuizSheet().run({"questions": ["Where?", "2+2?", "Why?"], "keys": keys}, "en")["questions"]
    assert sorted(first["options"]) == ["Beijing", "Wuhan", "Xi'an"]
    assert second["options"] == []  # two are no choice: it is answered freely


def test_marks_say_who_gave_them() -> None:
    marks = ChoiceMarks().run({"quiz": QUIZ, "answers": ["B", "Since so."]}, "en")
    total = MarksTotal().run({"marks": marks, "judged": [{"points": 1, "reason": "partly"}]}, "en")
    assert (total["by_code"], total["by_model"], total["points"], total["most"], total["percent"]) == (2, 1, 3, 4, 75)


def test_a_key_that_is_no_option_is_left_to_the_model() -> None:
    quiz = {"questions": [{"question": "Capital?", "options": ["Paris.", "Rome"], "answer": "It is Paris"}]}
    marks = ChoiceMarks().run({"quiz": quiz, "answers": ["A"]}, "en")
    assert (marks["num_choices"], [row["given"] for row in marks["open"]]) == (0, ["A"])


def test_more_answers_than_questions_are_refused() -> None:
    with pytest.raises(InvalidRequest):
        ChoiceMarks().run({"quiz": QUIZ, "answers": ["a", "b", "c"]}, "en")


def test_a_change_of_code_is_shown() -> None:
    answer = "Here:\n```python\ndef f():\n    return 2\n```\nIt was 1."
    found = CodeChange().run({"before": "def f():\n    return 1\n", "answer": answer}, "en")
    assert found["code"] == "def f():\n    return 2"
    assert "-    return 1\n+    return 2" in found["diff"]
    assert (found["num_added"], found["num_removed"]) == (1, 1)
    assert found["prose"] == "Here:\n\nIt was 1."


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("One. Two! Three?", 3),
        ("他说：“好。”然后走了。天黑了。", 3),
        ("Dr. Hale paid 2.5 euros. He left.", 2),
        ("a\nb", 2),
    ],
)
def test_sentences_are_numbered(text: str, number: int) -> None:
    assert Sentences().run({"text": text}, "en")["count"] == number


def test_what_a_list_says_twice_is_left_out_where_its_length_is_free() -> None:
    data = {"risks": ["heat", "Heat ", "noise"], "title": "x"}
    assert mended("items", data, path="risks[]", unique=True, min=2).data == {"risks": ["heat", "noise"], "title": "x"}
    for fields in ({"unique": True, "count": 3}, {"unique": True, "min": 3}, {"max": 2}):
        assert mended("items", data, path="risks[]", **fields).data == data
    nested = {"groups": [{"name": "a"}, {"name": "a"}]}
    assert mended("items", nested, path="groups[].name", unique=True).data == nested
