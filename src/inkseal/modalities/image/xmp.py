"""The XMP packet of a picture: China's AIGC label, that it was generated, and our own fields as JSON."""

import html
import re
from collections.abc import Mapping
from typing import Any

from inkseal.modalities.text.lenient import lenient_json

MAX_CHARS = 60_000
"""A JPEG has 64 KiB for it."""
AIGC = "AIGC"
_GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/" xmlns:inkseal="urn:inkseal:1.0/" \
xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
{}</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""
_ELEMENT = re.compile(r"<(TC260:AIGC|inkseal:Fields)>([^<]*)</\1>")
_ATTRIBUTE = re.compile(r"\b(TC260:AIGC)=(\"[^\"]*\"|'[^']*')")


def packet(metadata: Mapping[str, str], own: Mapping[str, Any]) -> bytes:
    """Returns the packet, UTF-8.

    Args:
        metadata: by name; AIGC gets its own place, the others stand among our fields.
        own: what else a reader of ours must know; values that JSON can hold.
    """
    import json

    fields = {**own, "metadata": {name: value for name, value in metadata.items() if name != AIGC}}
    lines = [("TC260:AIGC", metadata[AIGC])] if AIGC in metadata else []
    lines.append(("inkseal:Fields", json.dumps(fields, separators=(",", ":"))))
    lines.append(("Iptc4xmpExt:DigitalSourceType", _GENERATED))
    written = "".join(f"<{name}>{html.escape(value, quote=False)}</{name}>\n" for name, value in lines)
    return _PACKET.format(written).encode()


def parse(data: bytes) -> tuple[dict[str, str], dict[str, Any]]:
    """Returns the metadata and our own fields; what cannot be read is left out. No entity is expanded but XML's own."""
    text = data[: 4 * MAX_CHARS].decode("utf-8", "replace")
    found = {name: html.unescape(value) for name, value in _ELEMENT.findall(text)}
    found = {name: html.unescape(value[1:-1]) for name, value in _ATTRIBUTE.findall(text)} | found
    fields = lenient_json(found.get("inkseal:Fields", ""))
    own = fields if isinstance(fields, dict) else {}
    others = own.pop("metadata", {})
    metadata = {str(name): str(value) for name, value in others.items()} if isinstance(others, dict) else {}
    if "TC260:AIGC" in found:
        metadata = {AIGC: found["TC260:AIGC"], **metadata}
    return metadata, own
