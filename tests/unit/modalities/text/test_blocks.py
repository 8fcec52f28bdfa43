from hypothesis import given
from hypothesis import strategies as st

from inkseal.modalities.text.blocks import blocks, shown

SAMPLE = """# Title

A *b* **c** `d` ~~e~~
next line

3. three
4. four
   - nested

> quoted

| x | y |
|---|---|
| 1 | 2 |

```python
def f():
    return 1
```

---
![picture](http://example.com/p.png) [link](javascript:alert(1)) [web](https://example.com) <b>raw</b>
"""


def test_blocks_of_a_document() -> None:
    found = [(block.kind, block.level, block.depth, block.text) for block in blocks(SAMPLE)]
    assert found == [
        ("heading", 1, 0, "Title"),
        ("paragraph", 0, 0, "A b c d e\nnext line"),
        ("paragraph", 0, 1, "3. three"),
        ("paragraph", 0, 1, "4. four"),
        ("paragraph", 0, 2, "• nested"),
        ("paragraph", 0, 1, "quoted"),
        ("row", 0, 0, "x  y"),
        ("row", 0, 0, "1  2"),
        ("code", 0, 0, "def f():\n    return 1"),
        ("rule", 0, 0, ""),
        ("paragraph", 0, 0, "[picture] [link](javascript:alert(1)) web <b>raw</b>"),
    ]


def test_styles_are_kept() -> None:
    spans = blocks("a **b** *c* `d`")[0].spans
    assert [(s.text, s.bold, s.italic, s.code) for s in spans if s.text.strip()] == [
        ("a ", False, False, False),
        ("b", True, False, False),
        ("c", False, True, False),
        ("d", False, False, True),
    ]


@given(st.text())
def test_any_text_has_blocks(text: str) -> None:
    assert isinstance(shown(text), str)
