"""The boxes of a HEIC file that its decoder does not show: XMP and bit depth of the depth item (ISO/IEC 23008-12)."""

from collections.abc import Iterator

from bokehbench.preparation.phone.xmp import MOST_BYTES

#: Types of auxiliary items that are depth or disparity; mattes and gain maps have others.
DEPTH_TYPES = (b"urn:mpeg:hevc:2015:auxid:2", b"urn:mpeg:mpegB:cicp:systems:auxiliary:depth")
Span = tuple[int, int]


class _Numbers:
    """Whole numbers of any size, one behind the other; ValueError behind the end."""

    def __init__(self, data: bytes, span: Span) -> None:
        self.data, (self.place, self.end) = data, span

    def next(self, size: int) -> int:
        place, self.place = self.place, self.place + size
        if self.place > self.end:
            raise ValueError("its boxes are cut short")
        return int.from_bytes(self.data[place : self.place])


def boxes(data: bytes, span: Span) -> Iterator[tuple[bytes, Span]]:
    """(type, content) of the boxes in ``span``; ValueError for a length that does not fit."""
    place, end = span
    while place + 8 <= end:
        size, head = int.from_bytes(data[place : place + 4]), 8
        if size == 1:
            size, head = int.from_bytes(data[place + 8 : place + 16]), 16
        size = size or end - place
        if size < head or place + size > end:
            raise ValueError("a box in it has a length that does not fit")
        yield data[place + 4 : place + 8], (place + head, place + size)
        place += size


def depth_item(data: bytes) -> tuple[bytes, int] | None:
    """(XMP, bits of a code) of the first depth item, nothing and 0 where they are not said; None: no such item.

    Raises:
        ValueError: boxes that do not fit into each other.
    """
    top = dict(boxes(data, (0, len(data))))
    parts = dict(boxes(data, (top[b"meta"][0] + 4, top[b"meta"][1]))) if b"meta" in top else {}
    inner = dict(boxes(data, parts[b"iprp"])) if b"iprp" in parts else {}
    kept = list(boxes(data, inner[b"ipco"])) if {b"ipco", b"ipma"} <= inner.keys() else []
    for item, indices in _properties_of_items(_Numbers(data, inner[b"ipma"])) if kept else ():
        own = [(kept[index - 1][0], data[slice(*kept[index - 1][1])]) for index in indices if 0 < index <= len(kept)]
        if any(kind == b"auxC" and content[4:].partition(b"\0")[0] in DEPTH_TYPES for kind, content in own):
            bits = [content[5] for kind, content in own if kind == b"pixi" and len(content) > 5]
            return _xmp_of(data, parts, item), bits[0] if bits else 0
    return None


def _properties_of_items(numbers: _Numbers) -> Iterator[tuple[int, list[int]]]:
    """(item, numbers of its properties, from 1)."""
    version, flags = numbers.next(1), numbers.next(3)
    wide = 2 if flags & 1 else 1
    for _ in range(numbers.next(4)):
        item = numbers.next(4 if version else 2)
        yield item, [numbers.next(wide) & (1 << (8 * wide - 1)) - 1 for _ in range(numbers.next(1))]


def _xmp_of(data: bytes, parts: dict[bytes, Span], item: int) -> bytes:
    """The XMP that describes ``item``; nothing where there is none."""
    if not {b"iref", b"iloc"} <= parts.keys():
        return b""
    start, end = parts[b"iref"]
    for kind, span in boxes(data, (start + 4, end)):
        numbers, wide = _Numbers(data, span), 4 if data[start] else 2
        source = numbers.next(wide)
        if kind == b"cdsc" and item in [numbers.next(wide) for _ in range(numbers.next(2))]:
            content = _content(data, parts, source)
            if b"<rdf:RDF" in content:
                return content
    return b""


def _content(data: bytes, parts: dict[bytes, Span], wanted: int) -> bytes:
    """The bytes of an item."""
    numbers = _Numbers(data, parts[b"iloc"])
    version, _ = numbers.next(1), numbers.next(3)
    sizes = numbers.next(1), numbers.next(1)
    for _ in range(numbers.next(2 if version < 2 else 4)):
        item = numbers.next(2 if version < 2 else 4)
        inside = version and numbers.next(2) & 15 == 1  # counted from the box of item data
        numbers.next(2)
        base = numbers.next(sizes[1] >> 4) + (parts[b"idat"][0] if inside else 0)
        spans = []
        for _ in range(numbers.next(2)):
            numbers.next(sizes[1] & 15 if version else 0)
            start = base + numbers.next(sizes[0] >> 4)
            spans.append((start, start + numbers.next(sizes[0] & 15)))
        if item == wanted:
            if sum(b - a for a, b in spans) > MOST_BYTES or any(b > len(data) for _, b in spans):
                raise ValueError("an item in it is longer than the file")
            return b"".join(data[a:b] for a, b in spans)
    return b""
