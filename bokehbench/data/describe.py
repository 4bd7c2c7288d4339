"""A data set in words."""

from collections import Counter
from contextlib import suppress

from bokehbench.data.augment import size_of
from bokehbench.data.base import SPLITS, BokehDataModule, PictureSet
from bokehbench.data.decoding import picture_size
from bokehbench.data.folders import Record
from bokehbench.errors import BokehbenchError
from bokehbench.f_numbers import written

#: Headers read per split: enough to see the range of sizes, few enough for an instant answer.
HEADERS = 500


def describe(data: BokehDataModule) -> str:
    """Counts, sizes and batch keys of every split, and notes; BokehbenchError where the data set is not there."""
    lines = [type(data).__name__ + (f" in {data.root}" if data.root is not None else "")]
    for split in SPLITS:
        pictures = data.pictures(split)
        count = 0 if pictures is None else len(pictures)
        published = data.completeness.get(split)
        of = f" of {published.expected}" if published is not None and not published.complete else ""
        lines.append(f"{split:>8}: {count}{of} picture{'s' * (count != 1 or bool(of))}")
        if pictures is not None and count:
            lines += [f"{'':>10}{line}" for line in _about(pictures)]
    lines += [f"    note: {note}" for note in data.notes]
    return "\n".join(lines)


def _about(pictures: PictureSet) -> list[str]:
    try:
        item = pictures[0]
    except BokehbenchError as error:
        return [f"first picture: {error}"]
    records: list[Record] | None = getattr(pictures, "records", None)
    height, width = size_of(item)
    sizes = _sizes(records) if records else f"{width} x {height}"
    counts = Counter(record.f_number for record in records or () if record.f_number is not None)
    apertures = [f"f/{written(number)} ({count})" for number, count in sorted(counts.items())]
    return [
        f"sizes: {sizes}",
        *([f"f-numbers: {', '.join(apertures)}"] if apertures else []),
        f"keys: {', '.join(key for key in item if key != 'name')}",
    ]


def _sizes(records: list[Record]) -> str:
    sizes: Counter[tuple[int, int]] = Counter()
    for record in records[:HEADERS]:
        with suppress(BokehbenchError):
            height, width = picture_size(record.files["image"])
            sizes[width, height] += 1
    if len(sizes) <= 3:
        return ", ".join(f"{w} x {h} ({n})" for (w, h), n in sizes.most_common()) or "unreadable"
    widths, heights = zip(*sizes, strict=True)
    return f"{min(widths)}..{max(widths)} x {min(heights)}..{max(heights)}, {len(sizes)} different"
