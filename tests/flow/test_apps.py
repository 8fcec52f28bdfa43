"""Apps from the form to the sealed result, by Python, by command and over HTTP, on the fake model."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inkseal import Studio
from inkseal.apps.definition import AppFile, read_app
from inkseal.apps.events import AnswerJudged, AppEvent, AppFinished, AppResult, AppStarted, StepStarted
from inkseal.apps.runner import run_app
from inkseal.apps.scoring import score_case
from inkseal.apps.shelf import Shelf, built_in
from inkseal.apps.work import Options
from inkseal.core.errors import AnswerRefused, Cancelled, InvalidRequest, UnknownName
from inkseal.core.types import Message, Origin
from inkseal.modalities.text.request import TextRequest
from serving import Served, command, create_key, serving

ECHO = Options(model="echo", seed=7)
CSV = "region,sales (k€)\nWest,120\nEast,90\n"
OWN = """
format = 1
name = "greeter"
category = "daily"
title = "Greeter"
description = "Says a word."

[writing]
attempts = 2

[[fields]]
name = "word"
type = "text"
title = "Word"
origin = "document"

[[steps]]
name = "first"
kind = "generate"
prompt = "Say {{word}}"

[[steps]]
name = "second"
kind = "generate"
when = "first"
prompt = "Again: {{first}}"

[output]
template = "{{first}} | {{second}}"
"""


def own(text: str) -> AppFile:
    return read_app(text.encode(), own=True)


@pytest.fixture
def studio(data_dir: Path) -> Iterator[Studio]:
    with Studio.open() as opened:
        yield opened


class Asked:
    """Notes every request that reaches the studio."""

    def __init__(self, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
        self.requests: list[TextRequest] = []
        run = studio.run

        def noting(request: TextRequest, *arguments: Any, **named: Any) -> Any:
            self.requests.append(request)
            return run(request, *arguments, **named)

        monkeypatch.setattr(studio, "run", noting)

    def last(self) -> Message:
        return self.requests[-1].messages[-1]


def test_every_answer_is_a_parent_and_the_result_names_the_app(studio: Studio) -> None:
    file = own(OWN)
    result = run_app(studio, file, {"word": "tea"}, language="en", options=ECHO)
    assert result.text == "Say tea | Again: Say tea"
    manifest = studio.manifest(result.artifact.id).manifest
    assert manifest.app is not None
    assert (manifest.app.name, manifest.app.sha256, manifest.app.step) == ("greeter", file.sha256, "result")
    assert len(manifest.parents) == 2
    steps = [studio.manifest(parent).manifest for parent in manifest.parents]
    assert [step.app.step for step in steps if step.app] == ["first", "second"]
    assert steps[1].parents == (manifest.parents[0],)
    assert manifest.model is not None
    assert studio.verify_ledger().valid


def test_the_same_seed_gives_the_same_result(studio: Studio) -> None:
    first = run_app(studio, own(OWN), {"word": "a"}, language="en", options=ECHO)
    again = run_app(studio, own(OWN), {"word": "a"}, language="en", options=ECHO)
    assert (first.text, first.seed) == (again.text, again.seed)


def test_a_field_is_data_with_its_origin(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(studio, monkeypatch)
    run_app(studio, own(OWN), {"word": "{{first}} {{#x}}"}, language="en", options=ECHO)
    (template, value) = asked.requests[0].messages[-1].parts
    assert (template.text, template.origin) == ("Say ", Origin.USER)  # somebody's own app speaks as they do
    assert (value.text, value.origin) == ("{{first}} {{#x}}", Origin.DOCUMENT)
    run_app(studio, built_in("picture_brief"), {"prompt": "style: x; elements: a"}, language="en", options=ECHO)
    assert asked.last().parts[0].origin is Origin.SYSTEM


def test_events_tell_of_each_step(studio: Studio) -> None:
    events: list[AppEvent] = []
    run_app(studio, own(OWN), {"word": "x"}, events.append, language="en", options=ECHO)
    assert isinstance(events[0], AppStarted)
    assert isinstance(events[-1], AppFinished)
    assert [event.step for event in events if isinstance(event, StepStarted)] == ["first", "second"]


def test_an_answer_that_does_not_fit_is_asked_for_again_and_then_refused(studio: Studio) -> None:
    events: list[AppEvent] = []
    file = own(OWN + '\n[[rules]]\nkind = "contains"\nnone = ["again"]\nstep = "second"\n')
    with pytest.raises(AnswerRefused) as refused:
        run_app(studio, file, {"word": "x"}, events.append, language="en", options=ECHO)
    assert "must not occur" in refused.value.what
    judged = [event for event in events if isinstance(event, AnswerJudged) and event.step == "second"]
    assert [event.attempt for event in judged][:2] == [1, 2]
    assert events[-1].kind == "app_failed"


def test_what_code_can_lay_out_is_not_asked_for_again(studio: Studio) -> None:
    """The mark of a list is no letter of the poem: it goes without another attempt."""
    events: list[AppEvent] = []
    rule = '\n[[rules]]\nkind = "lines"\nletters = 1\nstep = "first"\n'
    file = own(OWN.replace('"Say {{word}}"', '"{{word}}"') + rule)
    result = run_app(studio, file, {"word": "1. a"}, events.append, language="en", options=ECHO)
    assert result.text == "a | Again: a"
    assert (result.steps[0].attempts, result.steps[0].mended) == (1, True)
    assert [event.mended for event in events if isinstance(event, AnswerJudged)][:2] == [False, True]


def test_an_answer_that_is_too_short_for_its_schema_is_asked_for_again(studio: Studio) -> None:
    """The fake writes the least that its grammar lets through, which holds no long counts."""
    events: list[AppEvent] = []
    schema = '{"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "minLength": 20}}}'
    file = own(OWN.replace('prompt = "Again', f"json_schema = '{schema}'\nprompt = \"Again"))
    with pytest.raises(AnswerRefused) as refused:
        run_app(studio, file, {"word": "x"}, events.append, language="en", options=ECHO)
    assert "`a`: 4 characters; at least 20 are needed" in refused.value.what
    judged = [event for event in events if isinstance(event, AnswerJudged) and event.step == "second"]
    assert [(event.attempt, event.is_valid) for event in judged] == [(1, False), (2, False)]


def test_what_is_told_helps_an_answer_to_fit(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake says the prompt again: once it is told what is missing, that is there."""
    asked = Asked(studio, monkeypatch)
    file = own(OWN + '\n[[rules]]\nkind = "contains"\nall = ["violet"]\nstep = "first"\n')
    result = run_app(studio, file, {"word": "x"}, language="en", options=ECHO)
    assert "violet" in result.text
    assert result.steps[0].attempts == 2
    assert asked.requests[1].parents  # the answer that did not fit is on record


def test_a_rule_that_need_not_be_met_is_reported_and_sealed(studio: Studio) -> None:
    file = own(OWN + '\n[[rules]]\nkind = "lines"\ncount = 40\nmust = false\n')
    result = run_app(studio, file, {"word": "x"}, language="en", options=ECHO)
    assert any("40 are needed" in problem for problem in result.problems)
    verdicts = studio.manifest(result.artifact.id).manifest.verdicts
    assert [verdict.action for verdict in verdicts if verdict.check == "app.lines"] == ["flag"]


def test_an_answer_that_must_meet_a_schema_does_or_is_refused(studio: Studio) -> None:
    schema = '{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer", "minimum": 3}}}'
    step = f'\n[[steps]]\nname = "third"\nkind = "generate"\nprompt = "n"\njson_schema = \'{schema}\'\n'
    file = own(OWN.replace("\n[output]", step + '\n[output]\ndata = "third"'))
    assert run_app(studio, file, {"word": "x"}, language="en", options=ECHO).data == {"n": 3}


def test_a_schema_that_the_engine_does_not_keep_is_told_and_the_answer_read(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inkseal.core.errors import Unsupported

    run, asked = studio.run, []

    def without_schemas(request: TextRequest, *arguments: Any, **named: Any) -> Any:
        asked.append(request)
        if request.constraint is not None:
            raise Unsupported("no schemas here")
        return run(request, *arguments, **named)

    monkeypatch.setattr(studio, "run", without_schemas)
    schema = '{"type": "object", "required": ["n"]}'
    step = f'\n[[steps]]\nname = "third"\nkind = "generate"\nprompt = "n"\njson_schema = \'{schema}\'\n'
    with pytest.raises(AnswerRefused, match="JSON"):
        run_app(studio, own(OWN.replace("\n[output]", step + "\n[output]")), {"word": "x"}, options=ECHO, language="en")
    assert "required" in asked[-1].messages[-1].text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_report_states_only_numbers_of_its_table(studio: Studio, language: Any, tmp_path: Path) -> None:
    values = {"title": "Sales", "data": CSV}
    result = run_app(studio, built_in("csv_report"), values, language=language, options=ECHO)
    # The fake repeats its prompt, whose "60 to 160 words" are no figures of the table.
    assert "160" not in result.text
    assert "250" not in result.text
    assert "210" in result.text
    assert "```chart" in result.text
    page = tmp_path / "report.html"
    studio.export(result.artifact.id, page)
    assert page.read_text(encoding="utf-8").count("<svg") == 1
    assert studio.verify(page.read_bytes(), "report.html").intact


def test_a_stop_ends_the_app(studio: Studio) -> None:
    class Now:
        def is_set(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        run_app(studio, own(OWN), {"word": "x"}, cancel=Now(), language="en", options=ECHO)


def test_grading_says_which_mark_is_whose(studio: Studio) -> None:
    sample = next(sample for sample in built_in("quiz_grading").app.samples if sample.language == "en")
    result = run_app(studio, built_in("quiz_grading"), sample.values, language="en", options=ECHO)
    assert result.data["by_code"] == 4
    assert "marked by code" in result.text
    assert "judged by a model" in result.text


def test_rules_are_for_each_answer_of_a_list(studio: Studio) -> None:
    fields = 'type = "list"\ntitle = "Word"\norigin = "document"'
    text = OWN.replace('type = "text"\ntitle = "Word"\norigin = "document"', fields)
    text = text.replace('name = "first"\nkind = "generate"', 'name = "first"\nkind = "map"\nover = "word"')
    text = text.replace(
        "Say {{word}}", "Say {{item}} {{item_number}} of {{num_items}}{{#before}} after {{.}}{{/before}}"
    )
    rule = '\n[[rules]]\nkind = "length"\nstep = "first"\nmax = 12\n'
    result = run_app(studio, own(text + rule), {"word": ["a", "b"]}, language="en", options=ECHO)
    assert result.text.startswith("Say a 1 of 2, Say b 2 of 2 after Say a 1 of 2 | ")
    assert [verdict.action for verdict in result.verdicts if verdict.check == "app.length"] == ["allow"]


def test_a_case_is_scored_by_rules_and_expectations(studio: Studio) -> None:
    cases = """
[[rules]]
kind = "lines"
count = 1

[[cases]]
language = "en"
values = { word = "tea" }
expect = [
  { kind = "contains", step = "second", all = ["Again: Say {{word}}"] },
  { kind = "contains", all = ["coffee"] },
]

[[cases]]
language = "en"
values = { word = "two" }
expect = [{ kind = "length", min = 900 }]
"""
    found = score_case(studio, own(OWN + cases), 1, "echo", seed=1, timeout_seconds=60)
    assert (found.finished, found.score, found.unmet) == (True, 0.6667, ("'coffee' is missing.",))
    refused = own(OWN + cases.replace("count = 1", "count = 9"))
    assert score_case(studio, refused, 2, "echo", seed=1, timeout_seconds=60).score == 0


class TestOwnApps:
    """Files in the data folder."""

    def test_they_are_kept_listed_copied_and_deleted(self, data_dir: Path) -> None:
        shelf = Shelf(data_dir)
        shelf.save(OWN.encode())
        assert "greeter" in [file.app.name for file in shelf.all()]
        copy = shelf.copy("poem", "my_poem")
        assert copy.app.title == built_in("poem").app.title
        assert copy.own
        shelf.delete("greeter")
        with pytest.raises(UnknownName):
            shelf.get("greeter")

    def test_each_owner_has_their_own(self, data_dir: Path) -> None:
        Shelf(data_dir, "ann").save(OWN.encode())
        with pytest.raises(UnknownName):
            Shelf(data_dir, "bo").get("greeter")
        assert Shelf(data_dir, "ann").get("greeter").own

    @pytest.mark.parametrize("name", ["../x", "a/b", "A", "", "x.toml", "con/.."])
    def test_names_cannot_leave_the_folder(self, data_dir: Path, name: str) -> None:
        with pytest.raises((UnknownName, InvalidRequest)):
            Shelf(data_dir).get(name)
        with pytest.raises(InvalidRequest):
            Shelf(data_dir).copy("poem", name)

    def test_a_name_of_the_program_is_taken(self, data_dir: Path) -> None:
        with pytest.raises(InvalidRequest, match="taken"):
            Shelf(data_dir).save(built_in("poem").toml.encode())

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ('kind = "generate"', 'kind = "shell"', "shell"),
            ("{{word}}", "{{nothing}}", "nothing"),
            ("attempts = 2", "attempts = 99", "attempts"),
            ('title = "Word"', 'title = "Word"\ncolour = 1', "colour"),
            ('type = "text"', 'type = "secret"', "type"),
            ("format = 1", "format = 2", "format"),
            ('name = "second"', 'name = "first"', "first"),
            ("{{first}} | ", "{{#first}} | ", "first"),
        ],
    )
    def test_what_is_wrong_in_a_file_is_named(self, old: str, new: str, said: str) -> None:
        with pytest.raises(InvalidRequest, match=said):
            own(OWN.replace(old, new))

    @pytest.mark.parametrize("data", [b"\xff\xfe", b"x" * 200_000, b"a = [", b'format = 1\nname = "x"'])
    def test_what_is_no_app_is_refused(self, data: bytes) -> None:
        with pytest.raises(InvalidRequest):
            read_app(data, own=True)

    def test_a_broken_file_is_left_out_and_named(self, data_dir: Path) -> None:
        shelf = Shelf(data_dir)
        shelf.save(OWN.encode())
        (data_dir / "apps" / "greeter.toml").write_text("format = 7")
        assert "greeter" not in [file.app.name for file in shelf.all()]
        assert "greeter" in shelf.broken()

    def test_a_link_is_not_followed(self, data_dir: Path, tmp_path: Path) -> None:
        (tmp_path / "greeter.toml").write_text(OWN)
        (data_dir / "apps").mkdir()
        (data_dir / "apps" / "greeter.toml").symlink_to(tmp_path / "greeter.toml")
        with pytest.raises(UnknownName):
            Shelf(data_dir).get("greeter")


def test_the_command_runs_checks_and_shares_apps(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    listed = command(data_dir, "app", "list", "--json")
    assert len(json.loads(listed.stdout)) >= 24
    (tmp_path / "sales.csv").write_text(CSV, encoding="utf-8")
    out = tmp_path / "report.md"
    arguments = ["title=Sales", f"data=@{tmp_path / 'sales.csv'}", "--model", "echo", "--out", str(out)]
    done = command(data_dir, "app", "run", "csv_report", *arguments)
    assert done.returncode == 0, done.stderr
    assert "# Sales" in done.stdout
    assert command(data_dir, "verify", str(out)).returncode == 0
    copied = tmp_path / "mine.toml"
    assert command(data_dir, "app", "copy", "csv_report", "mine").returncode == 0
    assert command(data_dir, "app", "export", "mine", str(copied)).returncode == 0
    assert command(data_dir, "app", "check", str(copied)).returncode == 0
    copied.write_text(copied.read_text(encoding="utf-8").replace('kind = "numbers"', 'kind = "wishes"'))
    refused = command(data_dir, "app", "check", str(copied))
    assert refused.returncode == 2
    assert "wishes" in refused.stderr
    missing = command(data_dir, "app", "run", "csv_report", "title=Sales", "--model", "echo")
    assert (missing.returncode, "data" in missing.stderr) == (2, True)
    poem = command(data_dir, "app", "run", "poem", "topic=x", "--in", "en", "--model", "echo")
    assert poem.returncode == 12


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("apps") / "data"
    with serving(folder) as found:
        yield found


def test_over_http_with_a_form_a_stream_and_a_seal(served: Served) -> None:
    with served.client() as client:
        apps = client.get("/api/v1/apps").json()["apps"]
        assert len(apps) >= 24
        shown = client.get("/api/v1/apps/csv_report", headers={"Accept-Language": "zh"}).json()
        assert shown["title"] == "表格分析报告"
        assert shown["form_schema"]["required"] == ["title", "data"]
        body = {"values": {"title": "Sales", "data": CSV}, "model": "echo", "language": "en"}
        made = client.post("/api/v1/apps/csv_report/run", json=body)
        assert made.status_code == 200, made.text
        result = AppResult.model_validate(made.json())
        assert made.headers["inkseal-artifact"] == result.artifact.id
        story = client.get(f"/api/v1/artifacts/{result.artifact.id}").json()
        assert story["manifest"]["app"]["name"] == "csv_report"
        stream = client.post("/api/v1/apps/csv_report/run", json=body, headers={"Accept": "text/event-stream"})
        kinds = [line.removeprefix("event: ") for line in stream.text.splitlines() if line.startswith("event: ")]
        assert kinds[0] == "app_started"
        assert kinds[-1] == "app_finished"
        assert {"step_started", "generated", "answer_judged", "step_finished"} <= set(kinds)


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_over_http_a_form_that_is_off_is_said_at_its_field(served: Served, accept: str) -> None:
    with served.client() as client:
        for values, param in (({"data": CSV}, "title"), ({"title": "x" * 100, "data": CSV}, "title")):
            answer = client.post(
                "/api/v1/apps/csv_report/run", json={"values": values, "model": "echo"}, headers={"Accept": accept}
            )
            assert answer.status_code == 400
            assert answer.json()["error"]["param"] == param


def test_over_http_a_result_that_breaks_the_rules_is_refused(served: Served) -> None:
    with served.client() as client:
        body = {"values": {"topic": "x"}, "language": "en", "model": "echo"}
        answer = client.post("/api/v1/apps/poem/run", json=body)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "answer_refused"
        stream = client.post("/api/v1/apps/poem/run", json=body, headers={"Accept": "text/event-stream"})
        assert stream.status_code == 200
        assert "event: app_failed" in stream.text


def test_over_http_apps_are_each_callers_own(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    ann, bo, viewer = (
        create_key(data_dir, name, role)["key"]
        for name, role in (("Ann", "creator"), ("Bo", "creator"), ("Vi", "viewer"))
    )
    with serving(data_dir) as served:
        with served.client(ann) as client:
            assert client.post("/api/v1/apps", json={"toml": OWN}).status_code == 201
            assert client.post("/api/v1/apps", json={"toml": OWN}).status_code == 400
            assert client.post("/api/v1/apps", json={"toml": OWN, "replace": True}).status_code == 201
            assert client.get("/api/v1/apps/greeter/file").text == OWN
            assert client.post("/api/v1/apps/poem/copy", json={"name": "verse"}).json()["own"]
            body = {"values": {"word": "x"}, "model": "echo", "language": "en"}
            assert client.post("/api/v1/apps/greeter/run", json=body).json()["text"] == "Say x | Again: Say x"
        with served.client(bo) as client:
            assert client.get("/api/v1/apps/greeter").status_code == 404
            assert client.delete("/api/v1/apps/greeter").status_code == 404
            assert client.post("/api/v1/apps/greeter/run", json={"values": {}}).status_code == 404
        with served.client(viewer) as client:
            assert client.get("/api/v1/apps").status_code == 200
            assert client.post("/api/v1/apps", json={"toml": OWN}).status_code == 403
        with served.client(ann) as client:
            assert client.delete("/api/v1/apps/greeter").status_code == 204
            assert client.delete("/api/v1/apps/poem").status_code == 404
