"""Files that strangers made to break a reader: one sentence each, and the other photos are imported."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import pytest
from phone_files import (
    RDF,
    SPACES,
    apple_codes,
    apple_jpeg,
    apple_xmp,
    dynamic_depth_jpeg,
    encoded,
    gdepth_jpeg,
    heic,
    scene,
    text_of,
    with_xmp,
    write,
)

from bokehbench.commands.data import main

SHARP, BLURRED, METRES = scene()
BOMB = "<!DOCTYPE b [<!ENTITY a 'aaaaaaaaaa'><!ENTITY c '&a;&a;&a;&a;&a;&a;&a;&a;'>]>" + RDF.format(">&c;&c;")
FILE = "<!DOCTYPE b [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>" + RDF.format(">&a;")


def claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to have many pixels."""
    import zlib

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


def gdepth(said: str) -> bytes:
    return with_xmp(encoded(SHARP), RDF.format(f"{SPACES} {said}>"))


WHOLE = 'GDepth:Format="RangeInverse" GDepth:Near="0.25" GDepth:Far="8"'
PNG = text_of(claims(60_000, 60_000))
EXTENDED = gdepth_jpeg(BLURRED, METRES, SHARP)
MAP = text_of(encoded(apple_codes(METRES), "PNG"))
LONGER = "longer than the file"
CASES = {
    "an entity that grows": (with_xmp(encoded(SHARP), BOMB), "document type"),
    "an entity that reads a file": (with_xmp(encoded(SHARP), FILE), "document type"),
    "no XML": (with_xmp(encoded(SHARP), "<x"), "corrupt or truncated"),
    "deep XML": (with_xmp(encoded(SHARP), "<a>" * 5000 + "</a>" * 5000), "too many elements"),
    "a part is missing": (EXTENDED.replace(b"xmp/extension/", b"xmp/extensiox/", 1), "extended XMP is missing"),
    "an item that is longer than the file": (dynamic_depth_jpeg(BLURRED, METRES, SHARP, longer=10**9), LONGER),
    "an item of negative length": (dynamic_depth_jpeg(BLURRED, METRES, SHARP, longer=-(10**9)), LONGER),
    "a map of 3.6 gigapixels": (gdepth(f'{WHOLE} GDepth:Data="{PNG}"'), "more than 178 million pixels"),
    "a map of 90 megapixels": (gdepth(f'{WHOLE} GDepth:Data="{text_of(claims(9000, 9000))}"'), "claims 9000 x 9000"),
    "a map that is none": (gdepth(f'{WHOLE} GDepth:Data="aGVsbG8="'), "no JPEG or PNG"),
    "a range that is none": (gdepth(f'{WHOLE.replace("0.25", "nan")} GDepth:Data="{MAP}"'), "depth range"),
    "an unknown format": (gdepth(f'{WHOLE.replace("RangeInverse", "Cubic")} GDepth:Data="{MAP}"'), "format 'Cubic'"),
    "cut short": (apple_jpeg(SHARP, METRES)[:-200], "corrupt or truncated"),
    "Samsung's trailer": (encoded(SHARP) + b"DualShot_DepthMap_1" + bytes(30) + b"SEFT", "Samsung trailer"),
}


@pytest.mark.parametrize("name", CASES)
def test_one_sentence_and_the_others_are_imported(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content, said = CASES[name]
    folder = write(tmp_path / "in", {"bad.jpg": content, "good.jpg": apple_jpeg(SHARP, METRES)})
    assert main(["data", "import-phone", str(folder), "-o", str(tmp_path / "out")]) == 1
    printed = [line for line in capsys.readouterr().out.splitlines() if "bad.jpg" in line]
    assert len(printed) == 1
    assert said in printed[0]
    assert [path.name for path in (tmp_path / "out" / "images").iterdir()] == ["good.jpg"]


def test_boxes_that_lie_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pillow_heif")
    import numpy as np

    photo, metres = np.kron(SHARP, np.ones((2, 2, 1), np.uint8)), np.kron(METRES, np.ones((4, 4)))
    good = heic(photo, apple_codes(metres), apple_xmp())
    files = {}
    for number, kind in enumerate((b"meta", b"iprp", b"iloc", b"ipma", b"iref")):
        at = good.index(kind) - 4
        files[f"long{number}.heic"] = good[:at] + b"\x7f\xff\xff\xff" + good[at + 4 :]
        files[f"short{number}.heic"] = good[:at] + b"\0\0\0\3" + good[at + 4 :]
    at = good.index(b"iloc")
    files["places.heic"] = good[: at + 14] + b"\xff" * 40 + good[at + 54 :]
    files["cut.heic"] = good[: len(good) // 2]
    folder = write(tmp_path / "in", files)
    assert main(["data", "import-phone", str(folder), "-o", str(tmp_path / "out")]) == 1
    printed = capsys.readouterr().out
    for name in files:
        assert printed.count(f"{name}: ") == 1, printed


def test_a_long_run_of_fill_bytes_takes_no_long_time(tmp_path: Path) -> None:
    photo = encoded(SHARP)
    folder = write(tmp_path / "in", {"a.jpg": photo[:-2] + b"\xff" * 3_000_000 + b"\0\xff\xd9"})
    start = time.process_time()
    main(["data", "import-phone", str(folder), "-o", str(tmp_path / "out")])
    assert time.process_time() - start < 20
