"""The parts of a JPEG file: its segments, the XMP in them, and further pictures behind the first."""

import re
import struct
from collections.abc import Iterator
from itertools import accumulate
from xml.etree.ElementTree import Element

from bokehbench.preparation.phone.xmp import parse, properties

STANDARD, EXTENDED = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
START, APP1, SCAN, END = b"\xff\xd8\xff", 0xE1, 0xDA, 0xD9
#: Without the restart markers, which lie inside the pixels.
MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
#: In one file that are looked at.
MOST_PICTURES = 16


def segments(data: bytes, start: int = 0) -> Iterator[tuple[int, int, int]]:
    """(marker, where its content begins, where it ends) of the JPEG at ``start``, up to its end marker."""
    place = start + 2
    while found := MARKER.search(data, place):
        marker, begin = data[found.end() - 1], found.end()
        place = begin + (0 if marker == END else max(2, int.from_bytes(data[begin : begin + 2])))
        yield marker, min(begin + 2, place), min(place, len(data))
        if marker == END:
            return


def end_of(data: bytes, start: int = 0) -> int:
    """Where the JPEG at ``start`` ends, behind its end marker; ValueError where it has none."""
    for marker, _, end in segments(data, start):
        if marker == END:
            return end
    raise ValueError("a picture in it has no end")


def pictures_behind(data: bytes) -> Iterator[tuple[int, int]]:
    """(start, end) of the JPEGs behind the first, where phones put gain maps and depth (CIPA DC-007).

    What only begins like one, as bytes of a film may, ends with the file.
    """
    end = end_of(data)
    for _ in range(MOST_PICTURES):
        if (start := data.find(START, end)) < 0:
            return
        ends = [place for marker, _, place in segments(data, start) if marker == END]
        yield start, ends[0] if ends else len(data)
        end = ends[0] if ends else start + len(START)


def xmp_trees(data: bytes, start: int = 0) -> list[Element]:
    """The XMP of the JPEG at ``start``, with its extension, whose parts may lie in any order (XMP part 3, 1.1.3.1).

    Raises:
        ValueError: a part is missing, or as of :func:`~bokehbench.preparation.phone.xmp.parse`.
    """
    trees: list[Element] = []
    parts: dict[str, dict[int, bytes]] = {}
    for marker, begin, end in segments(data, start):
        if marker == SCAN:
            break
        if marker == APP1 and data.startswith(STANDARD, begin):
            trees.append(parse(data[begin + len(STANDARD) : end]))
        elif marker == APP1 and data.startswith(EXTENDED, begin):
            begin += len(EXTENDED)
            name, total, offset = struct.unpack_from(">32sII", data, begin)
            parts.setdefault(f"{name.decode('latin-1')} {total}", {})[offset] = data[begin + 40 : end]
    wanted = properties(trees, "http://ns.adobe.com/xmp/note/").get("HasExtendedXMP", "none")
    for name, pieces in parts.items():
        if name.startswith(wanted):
            ordered = [pieces[offset] for offset in sorted(pieces)]
            if [*sorted(pieces), int(name[33:])] != [0, *accumulate(map(len, ordered))]:
                raise ValueError("a part of its extended XMP is missing")
            trees.append(parse(b"".join(ordered)))
    return trees
