"""Every app that is part of the program: whole in both languages, with samples and cases that fit."""

import re

import pytest

from inkseal.apps.contracts import Facts, Prompts
from inkseal.apps.definition import AppFile
from inkseal.apps.fields import Field, filled_in, form
from inkseal.apps.rules import rules
from inkseal.apps.shelf import built_in, built_in_names
from inkseal.apps.steps import steps
from inkseal.apps.template import Bound, plain
from inkseal.catalog.card import Words
from inkseal.core.language import Language, use_language
from inkseal.core.types import Closed
from inkseal.formats.json_schema import conforms
from inkseal.modalities.text.segmentation import language_of

NAMES = sorted(built_in_names())
LANGUAGES: tuple[Language, ...] = ("en", "zh")
MIN_CASES = 5
ONE_LANGUAGE = {"poem": {"letters", "lines"}}
"""Names that the prompts of one language have no use for."""


@pytest.fixture(params=NAMES)
def file(request: pytest.FixtureRequest) -> AppFile:
    return built_in(request.param)


def pairs(value: object, path: str = "") -> list[tuple[str, str, str]]:
    """Returns every text in two languages inside of a model, with its place."""
    if isinstance(value, Words | Prompts):
        return [(path, value.en, value.zh)]
    if isinstance(value, Closed):
        return [pair for name in type(value).model_fields for pair in pairs(getattr(value, name), f"{path}.{name}")]
    if isinstance(value, tuple | list):
        return [pair for place, item in enumerate(value) for pair in pairs(item, f"{path}[{place}]")]
    return []


def test_it_bears_its_files_name(file: AppFile) -> None:
    assert file.app.name in NAMES
    assert not file.own


def test_both_languages_are_there_and_are_what_they_say(file: AppFile) -> None:
    for path, en, zh in pairs(file.app):
        if path.endswith(".regex"):
            continue
        assert bool(en.strip()) == bool(zh.strip()), path
        assert language_of(re.sub(r"\{\{[^}]*\}\}|`[^`]*`", "", en)) == "en" or not en.strip(), (path, en)
        bare = re.sub(r"\{\{[^}]*\}\}|\([^)]*\)|[`#*\-\d\s|>\[\]().,:/A-Z]", "", zh)
        assert not any(char.isalpha() for char in bare) or re.search("[\u4e00-\u9fff]", zh), (path, zh)


def test_prompts_ask_for_the_same_names_in_both_languages(file: AppFile) -> None:
    tag = re.compile(r"\{\{[#^]?([a-z_.@]+)\}\}")
    for path, en, zh in pairs(file.app):
        assert set(tag.findall(en)) ^ set(tag.findall(zh)) <= ONE_LANGUAGE.get(file.app.name, set()), path


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_is_a_sample_and_there_are_cases(file: AppFile, language: Language) -> None:
    assert [sample for sample in file.app.samples if sample.language == language]
    cases = [case for case in file.app.cases if case.language == language]
    assert len(cases) >= MIN_CASES
    assert len({str(case.values) for case in cases}) == len(cases)


@pytest.mark.parametrize("language", LANGUAGES)
def test_samples_and_cases_fill_in_the_form_and_the_first_prompts(file: AppFile, language: Language) -> None:
    app, schema = file.app, form(file.app.fields)
    for example in (*app.samples, *app.cases):
        if example.language != language:
            continue
        filled = filled_in(app.fields, example.values)
        assert conforms({name: value for name, value in filled.items() if value is not None}, schema)
        with use_language(language):
            scope = {field.name: field.bound(filled[field.name]) for field in app.fields}
            scope |= {step.name: Bound(None) for step in app.steps}
            for step in app.steps:
                for prompt, _ in step.prompts():
                    assert "{{" not in plain(prompt.of(language), scope)


def test_steps_and_rules_can_be_made(file: AppFile) -> None:
    for step in file.app.steps:
        assert steps[step.kind](step)
    for rule in file.app.rules:
        assert rules[rule.kind](rule)
    assert any(step.calls() for step in file.app.steps)


def test_a_case_expects_what_its_form_does_not_say_already(file: AppFile) -> None:
    """An expectation that the empty answer meets scores nothing."""
    from inkseal.apps.contracts import Answer

    for number, case in enumerate(file.app.cases, 1):
        filled = filled_in(file.app.fields, case.values)
        scope = {field.name: field.bound(filled[field.name]) for field in file.app.fields}
        scope |= {step.name: Bound(None) for step in file.app.steps}
        facts = Facts(scope, case.language)
        with use_language(case.language):
            met = [not rules[rule.kind](rule).problems(Answer("", {}), facts) for rule in case.expect]
        assert not all(met), f"case {number}"


def test_what_goes_on_with_a_result_is_there(file: AppFile) -> None:
    for following in file.app.next:
        target = built_in(following.app).app
        known: dict[str, Field] = {field.name: field for field in target.fields}
        assert set(following.values) <= set(known)


def test_there_are_enough_apps() -> None:
    assert len(NAMES) >= 24
