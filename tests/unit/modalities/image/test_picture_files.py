"""What a crafted file says of itself costs a reader no more than an honest one does."""

import io
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from inkseal.core.errors import InvalidRequest
from inkseal.core.protocols import Rendering, Writer
from inkseal.modalities.image.label_strip import strip_height, with_strip
from inkseal.modalities.image.reading import decode, kind_of
from inkseal.modalities.image.writers import writers
from inkseal.modalities.image.writers.png import Png
from inkseal.modalities.image.xmp import AIGC, packet, parse
from picture_file_maker import SCRIPT, picture, picture_file, polyglots, saved

SIDE_PX = 800
SECONDS = 2.0
"""Of the processor's time; what honest packets and files of these sizes take is some hundredths."""


def written(own: Mapping[str, Any]) -> bytes:
    """Returns a picture with room for a strip, and a packet that says of it what it likes."""
    whole = with_strip(picture(1, SIDE_PX), ["AI-generated"])
    info, target = PngInfo(), io.BytesIO()
    info.add_itxt("XML:com.adobe.xmp", packet({}, own).decode())
    whole.save(target, "PNG", pnginfo=info)
    return target.getvalue()


@pytest.mark.parametrize("repeated", ["<TC260:AIGC>", "<inkseal:Fields>", 'TC260:AIGC="', "</inkseal:Fields>", "&"])
def test_a_packet_is_read_in_time_that_grows_as_it_does(repeated: str) -> None:
    begun = time.process_time()
    _, own = parse((repeated * (240_000 // len(repeated))).encode())
    assert own == {}
    assert time.process_time() - begun < SECONDS


def test_what_was_written_comes_back_whatever_stands_in_it() -> None:
    metadata = {AIGC: "a < b & </TC260:AIGC>", "Seal": "<inkseal:Fields>\n&lt;"}
    assert parse(packet(metadata, {"title": "<>"})) == (metadata, {"title": "<>"})


@pytest.mark.parametrize("labels", [["x" * 200_000], ["x" * 20_000] * 8, ["AI-generated"] * 9, [""], [" \n"]])
def test_labels_that_nobody_writes_are_none(labels: list[str]) -> None:
    data = written({"labels": labels, "size": [SIDE_PX, SIDE_PX]})
    begun = time.process_time()
    found = Png().read(data)
    assert time.process_time() - begun < SECONDS
    assert found.visible_labels == ()
    assert Png().read(written({"labels": ["AI-generated"], "size": [SIDE_PX, SIDE_PX]})).visible_labels != ()


def test_labels_that_could_not_be_read_again_are_not_written() -> None:
    for labels in (("AI" * 200,), ("AI",) * 9):
        with pytest.raises(InvalidRequest, match="label"):
            Png().write(Rendering(content=picture_file(), title="", language="en", visible_labels=labels))


@pytest.mark.parametrize("writer", writers.values(), ids=lambda writer: writer.name)
@pytest.mark.parametrize("name", polyglots())
def test_fault_20_a_script_in_a_picture_s_file_stays_there(name: str, writer: type[Writer]) -> None:
    data = polyglots()[name]
    read = writer().read(data).content if writer.media_type == kind_of(data) else b""
    bare = Rendering(content=data, title="", language="")
    labelled = bare.model_copy(update={"visible_labels": ("AI-generated",), "metadata": {AIGC: "{}"}})
    for written in (read, writer().write(bare), writer().write(labelled)):
        assert SCRIPT not in written
        assert not written or SCRIPT not in everything_said(written)
    assert len(writer().write(bare)) == len(writer().write(bare.model_copy(update={"content": picture_again(data)})))


def everything_said(data: bytes) -> bytes:
    """Returns what a decoder finds in a file beside the pixels, unpacked."""
    with Image.open(io.BytesIO(data)) as found:
        return repr((found.info, getattr(found, "text", {}), dict(found.getexif()))).encode()


def picture_again(data: bytes) -> bytes:
    """Returns the same pixels in a file that says nothing."""
    with Image.open(io.BytesIO(data)) as found:
        return saved(Image.fromarray(np.asarray(found.convert("RGB"))), "PNG")


@pytest.mark.parametrize("side", [10**400, -1, SIDE_PX + 1], ids=["huge", "negative", "larger"])
def test_a_size_that_no_picture_has_is_none(side: int) -> None:
    found = Png().read(written({"labels": ["AI-generated"], "size": [side, side]}))
    assert found.visible_labels == ()
    assert decode(found.content).size == (SIDE_PX, SIDE_PX + strip_height(SIDE_PX, SIDE_PX))
