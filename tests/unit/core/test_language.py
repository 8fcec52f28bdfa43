import threading

import pytest

from inkseal.core.errors import MissingDependency, UnknownName
from inkseal.core.language import current_language, say, use_language


@pytest.mark.parametrize(
    ("value", "language"),
    [("zh_CN.UTF-8", "zh"), ("zh-TW", "zh"), ("en_GB.UTF-8", "en"), ("de_DE", "en"), ("C", "en")],
)
def test_the_locale_decides(monkeypatch: pytest.MonkeyPatch, value: str, language: str) -> None:
    monkeypatch.delenv("INKSEAL_LANGUAGE")
    monkeypatch.setenv("LC_ALL", value)
    assert current_language() == language


def test_a_block_speaks_its_language_and_no_other_thread_does() -> None:
    heard: list[str] = []
    with use_language("zh"):
        assert say("ink", "墨") == "墨"
        thread = threading.Thread(target=lambda: heard.append(say("ink", "墨")))
        thread.start()
        thread.join()
    assert heard == ["ink"]
    assert say("ink", "墨") == "ink"


def test_errors_say_what_to_do_in_both_languages() -> None:
    with use_language("zh"):
        assert "pip install 'inkseal[llama]'" in MissingDependency("xllamacpp", "llama").fix
        assert "没有名为" in UnknownName("model", "x", ["y"]).what
