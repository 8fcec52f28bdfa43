"""Takes the pictures of the studio's pages for the guide and the README: English by day, Chinese by night.

`make pictures` asks the default model of a fresh data folder, with the models of the installation, so that what is
seen is what was made.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "tests")]

from browser_program import ARGUMENTS, find_chromium  # noqa: E402
from inkseal.core.config import default_data_dir  # noqa: E402
from serving import Served, serving  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PAGES = ("apps", "gallery", "trace", "models", "settings")
QUESTIONS = {
    "en": "Explain in three sentences why the sky is blue, with the formula of Rayleigh scattering in LaTeX.",
    "zh": "用三句话解释天空为什么是蓝色的，并用 LaTeX 写出瑞利散射公式。",
}
LOOKS = (("en", "light"), ("zh", "dark"))
ANSWER_MS = 300_000


@contextmanager
def house(model: str) -> Iterator[Served]:
    """Serves a fresh data folder that has the installation's models."""
    with tempfile.TemporaryDirectory() as work:
        data = Path(work) / "data"
        models = default_data_dir() / "models"
        if model != "echo" and models.is_dir():
            shutil.copytree(models, data / "models")
        with serving(data) as served:
            yield served


def take(browser: "Browser", served: Served, language: str, theme: str, model: str, folder: Path) -> None:
    """Takes the pictures of one language."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=theme, reduced_motion="reduce")
    context.add_init_script(f"localStorage['inkseal.language'] ??= '\"{language}\"'")
    page = context.new_page()
    page.goto(served.url)
    page.locator(".start-models").wait_for()
    _picture(page, folder / f"start-{language}.png")
    if model != "default":
        page.get_by_role("radio").last.check()
    page.locator(".start-ask textarea").fill(QUESTIONS[language])
    page.keyboard.press("Enter")
    page.locator("main .seal").wait_for(timeout=ANSWER_MS)
    _picture(page, folder / f"create-{language}.png")
    page.locator("main .seal").click()
    page.locator("dialog .spinner-large").wait_for(state="detached")
    _picture(page, folder / f"seal-{language}.png")
    for name in PAGES:
        page.goto(f"{served.url}/#/{name}")
        page.locator("main h1").wait_for()
        _picture(page, folder / f"{name}-{language}.png")
    context.close()


def _picture(page: "Page", path: Path) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(400)
    page.screenshot(path=path)


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=("default", "echo"), default="default")
    parser.add_argument("--out", type=Path, default=HERE / "pictures")
    asked = parser.parse_args()
    asked.out.mkdir(exist_ok=True)
    with house(asked.model) as served, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        for language, theme in LOOKS:
            take(browser, served, language, theme, asked.model, asked.out)
        browser.close()


if __name__ == "__main__":
    main()
