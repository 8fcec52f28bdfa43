"""The studio's files: only those that are listed, the policy that fits them, and what the first page tells of them."""

import gzip
import json
import re
from base64 import b64encode
from hashlib import sha256
from html import unescape
from pathlib import Path

import pytest

from inkseal.serve.web_files import HERE, WebFiles

INDEX = """<script type="importmap">{"imports": {"lib": "/web/vendor/lib.js"}}</script><!-- found -->"""

ONE = """import {
  c,
} from "../core/b.js";
import { e } from "../ui/e.js";
const d = () => import("../core/later.js");
export const page = {
  name: "one",
  order: 10,
  icon: "book",
  title: { en: "One", zh: "一" },
  hidden: true,
  Page: One,
};
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "index.html": INDEX,
        "app.js": 'import { a } from "./core/a.js";\nimport "lib";\n',
        "core/a.js": 'export { b } from "../core/b.js";\n',
        "core/b.js": "",
        "core/later.js": "",
        "ui/e.js": "",
        "pages/one.js": ONE,
        "pages/one.css": "",
        "pages/one/inner.js": "",
        "styles/zed.css": "",
        "styles/base.css": "",
        "styles/tokens.css": "",
        "vendor/lib.js": "",
        "vendor/vendor.toml": "secret",
        "README.md": "words",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "name", ["README.md", "vendor/vendor.toml", "../app.py", "/etc/passwd", "core", "", "core/../app.js"]
)
def test_only_listed_files_are_given(folder: Path, name: str) -> None:
    assert WebFiles(folder).content(name) is None


def test_a_file_is_read_again_when_it_has_changed(folder: Path) -> None:
    files = WebFiles(folder)
    before = files.content("core/b.js")
    (folder / "core/b.js").write_text("export const b = 1;", encoding="utf-8")
    after = files.content("core/b.js")
    assert before is not None
    assert after is not None
    assert before.etag != after.etag
    assert gzip.decompress(after.packed) == after.data == b"export const b = 1;"
    assert after.media_type.startswith("text/javascript")


def test_the_first_page_names_pages_styles_and_what_is_imported(folder: Path) -> None:
    text = WebFiles(folder).start("zh").data.decode()
    told = re.search(r'<meta name="inkseal-pages" content="([^"]+)">', text)
    assert told is not None
    assert json.loads(unescape(told[1])) == [
        {
            "name": "one",
            "order": 10,
            "icon": "book",
            "title": {"en": "One", "zh": "一"},
            "hidden": True,
            "files": ["pages/one.js", "ui/e.js"],
            "styles": ["pages/one.css"],
        }
    ]
    assert '<meta name="inkseal-language" content="zh">' in text
    assert re.findall(r'stylesheet" href="/web/styles/(\w+)', text) == ["tokens", "base", "zed"]
    preloaded = set(re.findall(r'modulepreload" href="/web/([^"]+)', text))
    assert preloaded == {"app.js", "core/a.js", "core/b.js", "vendor/lib.js"}


def test_the_policy_lets_nothing_in_but_our_files_and_the_import_map(folder: Path) -> None:
    policy = WebFiles(folder).policy()
    inline = re.search(r"importmap\">(.*?)</script>", INDEX)
    assert inline is not None
    assert f"'sha256-{b64encode(sha256(inline[1].encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none'")
    for allowed in ("unsafe", "http", "*", "data:"):
        assert allowed not in policy


def test_no_file_of_ours_makes_markup_of_text_or_loads_from_elsewhere() -> None:
    off = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|dangerouslySet|https?://(?!www\.w3\.org)"
    )
    for path in HERE.rglob("*"):
        if path.suffix in (".js", ".css", ".html", ".svg") and "vendor" not in path.parts:
            found = [line for line in path.read_text(encoding="utf-8").splitlines() if off.search(line)]
            assert not found, (path.name, found)


def test_no_file_of_ours_is_longer_than_what_fits_in_a_head() -> None:
    for path in HERE.rglob("*.js"):
        if "vendor" not in path.parts:
            assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path.name


def test_every_page_tells_the_navigation_what_it_is() -> None:
    text = WebFiles().start("").data.decode()
    told = re.search(r'<meta name="inkseal-pages" content="([^"]+)">', text)
    assert told is not None
    pages = json.loads(unescape(told[1]))
    assert {page["name"] for page in pages} == {path.stem for path in (HERE / "pages").glob("*.js")}
    assert len({page["order"] for page in pages}) == len(pages)
    for page in pages:
        assert page["icon"]
        assert page["files"][0] == f"pages/{page['name']}.js"
