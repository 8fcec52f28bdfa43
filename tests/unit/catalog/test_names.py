"""Names of models and of their files can never leave their folder."""

from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkseal.catalog.names import check_file_name, check_name, suggest_name
from inkseal.core.errors import InksealError, InvalidRequest

NASTY = st.text(st.sampled_from("ab./\\\0:%A -_\n\u202e\uff0f中"), max_size=40) | st.text(max_size=120)


@pytest.mark.parametrize("name", ["a", "qwen2.5-coder-1.5b-instruct", "x_y", "3", "a" * 99])
def test_good_names(name: str) -> None:
    assert check_name(name) == name


@given(name=NASTY)
def test_a_name_that_is_accepted_is_one_plain_path_part_everywhere(name: str) -> None:
    try:
        check_name(name)
    except InvalidRequest:
        return
    assert PurePosixPath(name).parts == PureWindowsPath(name).parts == (name,)
    assert name == name.strip(" .").lower()
    assert not PureWindowsPath(name).is_reserved()


@given(name=NASTY)
def test_a_file_name_that_is_accepted_stays_inside(name: str) -> None:
    try:
        check_file_name(name)
    except InksealError:
        return
    folder = Path("/models/m")
    assert (folder / name).resolve().is_relative_to(folder)
    assert "\\" not in name
    assert ".." not in name
    assert not PureWindowsPath(name).is_absolute()


@given(stem=st.text(max_size=200))
def test_a_suggested_name_is_good_or_empty(stem: str) -> None:
    name = suggest_name(stem)
    if name:
        check_name(name)


def test_suggestions_stay_recognisable() -> None:
    assert suggest_name("SmolLM2-135M-Instruct.Q4_1") == "smollm2-135m-instruct.q4_1"
    assert suggest_name("My  Model (v2)!!") == "my-model-v2"
    assert suggest_name("模型") == ""
