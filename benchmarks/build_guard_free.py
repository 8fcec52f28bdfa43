"""Adds freely written texts and more harmless Chinese to the training texts of the injection check.

Used by build_guard_data.py. Knows nothing of the tests; what comes near to one is left out there.
"""

import ast
import random
import tomllib
from collections.abc import Iterator

from build_guard_data import HERE, Archives, Row, embed, han, help_pages, row, take

VOICE = 8
"""Texts of one kind that follow each other are alike; so many are held out together."""


def free_training(archives: Archives, carriers: dict[str, list[str]], rng: random.Random) -> list[Row]:
    """Returns the authored free texts, mostly twice: alone and among harmless words, and harmless Chinese."""
    data = tomllib.loads((HERE / "authored_free.toml").read_text("utf-8"))
    rows: list[Row] = []
    for language in ("zh", "en"):
        plain = [t for parts in data[language]["harmless"].values() for t in parts.get("user", [])]
        calm = carriers[language] + 8 * data[language]["harmless"].get("everyday", {}).get("document", [])
        for kind, parts in data[language]["attack"].items():
            for origin, texts in parts.items():
                for index, text in enumerate(texts):
                    group = f"{language}-free-{kind}-{origin}-{index // VOICE}"
                    rows.append(row(text, True, language, origin, "authored train, free", group))
                    for shown in _among(text, origin, calm, plain, rng):
                        longer = row(shown, True, language, origin, "authored train, free", group)
                        rows.append(longer | {"core": text})
        for kind, parts in data[language]["harmless"].items():
            for origin, texts in parts.items():
                rows += [row(t, False, language, origin, "authored train, hard", f"{language}-{kind}") for t in texts]
    return rows + _chinese(archives, rng)


def _among(text: str, origin: str, calm: list[str], plain: list[str], rng: random.Random) -> list[str]:
    if origin == "document":
        return [shown for shown in (embed(text, calm, rng),) if shown != text]
    return [f"{rng.choice(plain)}{text}"] if rng.random() < 1 / 3 and len(text) < 60 else []


def _chinese(archives: Archives, rng: random.Random) -> list[Row]:
    manuals = {
        "Debian FAQ": help_pages(archives, "debian-faq-zh-cn", r"zh-cn/.*\.html$", True),
        "maint-guide": help_pages(archives, "maint-guide-zh-cn", r"zh-cn\.html$", True),
        "debmake-doc": help_pages(archives, "debmake-doc", r"zh-cn\.html$", True),
    }
    rows: list[Row] = []
    for name, texts in manuals.items():
        rows += take(rng, texts, 250, lambda t, n=name: row(t, False, "zh", "document", n))
    prompts = (text for _, code in archives.members("ms_opencompass", r"\.py$") for text in _strings(code))
    asked = [text for text in prompts if 20 <= len(text) <= 600 and han(text) > 0.4]
    return rows + take(rng, asked, 400, lambda t: row(t, False, "zh", "user", "OpenCompass prompts"))


def _strings(code: str) -> Iterator[str]:
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
