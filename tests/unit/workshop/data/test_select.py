"""What goes into a dataset, and by which name it is known."""

import numpy as np

from inkseal.core.types import Drawing
from inkseal.workshop.data.collections.noto import Noto
from inkseal.workshop.data.collections.openclipart import Openclipart
from inkseal.workshop.data.lexicon import Lexicon
from inkseal.workshop.data.rendering import Rendered
from inkseal.workshop.data.select import choose, drop_undrawn
from unit.workshop.data.test_lexicon import LEXICON, entry

MICE = Lexicon({e.code: e for e in (entry("1F401", "mouse", "老鼠"), entry("1F5B1", "computer mouse", "电脑鼠标"))})


def _drawing(title: str, category: str = "", emoji: str = "") -> Drawing:
    return Drawing(member=title, svg="", title=title, category=category, emoji=emoji)


def test_the_folder_tells_one_mouse_from_another() -> None:
    chosen = choose([_drawing("mouse", "computer/hardware"), _drawing("mouse", "animals")], Openclipart(), MICE)
    assert [wording.captions["zh"][0] for wording in chosen.wordings] == ["电脑鼠标", "老鼠"]


def test_titles_of_emoji_sets_are_no_captions() -> None:
    drawings = [_drawing("horse"), _drawing("unheard of"), _drawing("x", emoji="1F40E"), _drawing("keycap 1")]
    keycap = entry("31-20E3", "keycap: 1", "键帽: 1", "symbols", "keycap")
    chosen = choose(drawings, Noto(), Lexicon({**LEXICON.entries, keycap.code: keycap}))
    assert [wording.captions["en"][0] for wording in chosen.wordings] == ["horse", "horse"]
    assert chosen.left_out["unknown_name"] == 1
    assert chosen.left_out["thinned_keycap"] == 1


def test_what_was_not_drawn_or_is_blank_is_counted() -> None:
    chosen = choose([_drawing("horse"), _drawing("car"), _drawing("red apple")], Noto(), LEXICON)
    pixels = np.full((2, 3, 64, 64), 255, np.uint8)
    pixels[1, :, 10:50, 10:50] = 30
    left, kept = drop_undrawn(chosen, Rendered(pixels, (0, 2), {1: "letters"}))
    assert [drawing.title for drawing in left.drawings] == ["red apple"]
    assert kept.shape == (1, 3, 64, 64)
    assert left.left_out == {"letters": 1, "blank": 1}
