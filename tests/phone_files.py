"""Tiny photos with depth inside, of each kind that phones write, beside each other as bytes."""

from __future__ import annotations

import base64
import hashlib
import io
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from makers import blurred, picture
from PIL import Image

RDF = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" {}</rdf:Description></rdf:RDF></x:xmpmeta>'
)
GOOGLE = "http://ns.google.com/photos/"
SPACES = "".join(
    f' xmlns:{name}="{GOOGLE}1.0/{folder}/"' for name, folder in (("GDepth", "depthmap"), ("GImage", "image"))
)
SIZE = (48, 64)


def scene(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A sharp and a blurred picture, and depth in metres at half their size: 0.5 on the right quarter, else 4."""
    sharp = picture(seed, SIZE).copy()
    sharp[:8, :8] = 255
    metres = np.full((SIZE[0] // 2, SIZE[1] // 2), 4.0)
    metres[:, 24:] = 0.5
    return sharp, blurred(sharp), metres


def exif(turn: int = 1, rendered: int | None = None, time: str = "", gps: bool = False, **more: object) -> bytes:
    """An EXIF block; ``time`` as 12:00:01.250 of one day."""
    made = Image.Exif()
    made[0x0112] = turn
    inner: dict[int, object] = {0x829D: 1.8, 0x920A: 5.7, 0xA405: 26}
    if rendered is not None:
        inner[0xA401] = rendered
    if time:
        seconds, _, fraction = time.partition(".")
        inner |= {0x9003: f"2026:05:01 {seconds}"} | ({0x9291: fraction} if fraction else {})
    made.get_ifd(0x8769).update(inner)
    if gps:
        made.get_ifd(0x8825).update({1: "N", 2: (11.0, 22.0, 33.0), 3: "E", 4: (44.0, 55.0, 66.0)})
    return made.tobytes()


def encoded(pixels: np.ndarray, form: str = "JPEG", **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form, **({"quality": 95} | options if form == "JPEG" else options))
    return file.getvalue()


def segment(content: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content


def with_xmp(jpeg: bytes, xmp: str, extended: str = "", part: int = 900) -> bytes:
    """The JPEG with XMP; ``extended`` is cut into parts, the last of which comes first."""
    parts = []
    if extended:
        guid = hashlib.md5(extended.encode()).hexdigest().upper()
        xmp = xmp.replace("GUID", guid)
        for at in range(0, len(extended), part):
            head = guid.encode() + struct.pack(">II", len(extended), at)
            parts.append(segment(b"http://ns.adobe.com/xmp/extension/\0" + head + extended[at : at + part].encode()))
    return jpeg[:2] + b"".join(parts[::-1]) + segment(b"http://ns.adobe.com/xap/1.0/\0" + xmp.encode()) + jpeg[2:]


def apple_xmp(low: float = 0.125, high: float = 4.0, accuracy: str = "absolute", kind: str = "disparity") -> str:
    return RDF.format(
        'xmlns:apdi="http://ns.apple.com/pixeldatainfo/1.0/" xmlns:depthData="http://ns.apple.com/depthData/1.0/">'
        f"<apdi:AuxiliaryImageType>{kind}</apdi:AuxiliaryImageType><apdi:FloatMinValue>{low}</apdi:FloatMinValue>"
        f"<apdi:FloatMaxValue>{high}</apdi:FloatMaxValue><depthData:Accuracy>{accuracy}</depthData:Accuracy>"
    )


def apple_codes(metres: np.ndarray) -> np.ndarray:
    """Disparity from 0.125 to 4 per metre in 8 bits, 255 = nearest."""
    return np.round(255 * (1 / metres - 0.125) / 3.875).astype(np.uint8)


def apple_jpeg(photo: np.ndarray, metres: np.ndarray, **tags: object) -> bytes:
    """Photo, gain map, matte and disparity behind each other, the last as it is stored: not turned."""
    kinds = (
        "urn:com:apple:photo:2020:aux:hdrgainmap",
        "urn:com:apple:photo:2018:aux:portraiteffectsmatte",
        "disparity",
    )
    codes = (np.full_like(apple_codes(metres), 99), (metres < 1).astype(np.uint8) * 255, apple_codes(metres))
    more = (with_xmp(encoded(each), apple_xmp(kind=kind)) for kind, each in zip(kinds, codes, strict=True))
    return encoded(photo, exif=exif(**tags)) + b"".join(more)  # type: ignore[arg-type]


def inverse_codes(metres: np.ndarray, near: float = 0.25, far: float = 8.0) -> np.ndarray:
    """RangeInverse in 8 bits, 0 = nearest."""
    return np.round(255 * far * (metres - near) / (metres * (far - near))).astype(np.uint8)


def text_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


def gdepth_jpeg(photo: np.ndarray, metres: np.ndarray, original: np.ndarray | None, units: str = "m", **tags) -> bytes:
    """RangeInverse as attributes in extended XMP, with the original."""
    grey = inverse_codes(metres)
    png = encoded(np.dstack([grey, grey, grey, np.full_like(grey, 255)]), "PNG")
    said = f' GDepth:Units="{units}"' if units else ""
    main = (
        f'xmlns:xmpNote="http://ns.adobe.com/xmp/note/"{SPACES} GDepth:Format="RangeInverse" GDepth:Near="0.25" '
        f'GDepth:Far="8"{said} xmpNote:HasExtendedXMP="GUID">'
    )
    inside = f'GImage:Data="{text_of(encoded(original))}"' if original is not None else ""
    extended = RDF.format(f'{SPACES[1:]} {inside} GDepth:Data="{text_of(png)}">')
    return with_xmp(encoded(photo, exif=exif(**tags)), RDF.format(main), extended)


def gdepth_linear_jpeg(photo: np.ndarray, metres: np.ndarray, **tags) -> bytes:
    """RangeLinear in millimetres and 16 bits, as elements in single quotes."""
    codes = np.round(65535 * (metres * 1000 - 250) / 7750).astype(np.uint16)
    said = {"Format": "RangeLinear", "Near": 250, "Far": 8000, "Units": "mm", "Data": text_of(encoded(codes, "PNG"))}
    inside = "".join(f"<GDepth:{name}>{value}</GDepth:{name}>" for name, value in said.items())
    return with_xmp(
        encoded(photo, exif=exif(**tags)), RDF.replace('"', "'").format(f"{SPACES.replace(chr(34), chr(39))}>{inside}")
    )


def dynamic_depth_jpeg(photo: np.ndarray, metres: np.ndarray, original: np.ndarray, longer: int = 0) -> bytes:
    """Items behind the photo and 16 bytes: original, map, confidence (0.25 where it is far); ``longer`` is a lie."""
    parts = [encoded(original), encoded(inverse_codes(metres), "PNG")]
    parts.append(encoded(np.where(metres < 1, 255, 64).astype(np.uint8), "PNG"))
    names = ("primary", "original", "map", "trust")
    rows = zip(names, (0, *map(len, parts)), (16, 0, 0, 0), strict=True)
    items = "".join(
        f'<rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="image/jpeg" Item:DataURI="{name}" '
        f'Item:Length="{length + longer * (name == "map")}" Item:Padding="{padding}"/></rdf:li>'
        for name, length, padding in rows
    )
    names = ("Device", "Container", "Item", "Camera", "DepthMap", "Image")
    spaces = " ".join(f'xmlns:{name}="{GOOGLE}dd/1.0/{name.lower()}/"' for name in names)
    xmp = RDF.format(
        f"{spaces}><Device:Container><Container:Directory><rdf:Seq>{items}</rdf:Seq></Container:Directory>"
        '</Device:Container><Device:Cameras><rdf:Seq><rdf:li rdf:parseType="Resource">'
        '<Camera:Image Image:ItemSemantic="Original" Image:ItemURI="original"/><Camera:DepthMap DepthMap:Near="0.25" '
        'DepthMap:Far="8" DepthMap:Format="RangeInverse" DepthMap:Units="Meters" DepthMap:ItemSemantic="Depth" '
        'DepthMap:DepthURI="map" DepthMap:ConfidenceURI="trust"/></rdf:li></rdf:Seq></Device:Cameras>'
    )
    return with_xmp(encoded(photo), xmp) + bytes(16) + b"".join(parts)


def box(kind: str, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I4s", len(content) + 8, kind.encode()) + content


def full_box(kind: str, *parts: bytes, version: int = 0) -> bytes:
    return box(kind, bytes([version, 0, 0, 0]), *parts)


def coded(pixels: np.ndarray) -> tuple[bytes, bytes]:
    """The box of decoder settings and the coded data of H W or H W 3 uint8, as pillow-heif's own file has them."""
    import pillow_heif

    file = io.BytesIO()
    options = {"chroma": 444, "matrix_coefficients": 0} if pixels.ndim == 3 else {}
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(file, quality=-1, **options)
    data = file.getvalue()
    settings, media = data.index(b"hvcC") - 4, data.index(b"mdat") - 4
    size = {at: int.from_bytes(data[at : at + 4]) for at in (settings, media)}
    return data[settings : settings + size[settings]], data[media + 8 : media + size[media]]


def heic(
    photo: np.ndarray, depth: np.ndarray, xmp: str, turns: int = 0, depth_turns: int | None = None, **tags
) -> bytes:
    """With an auxiliary depth item, which libheif cannot write; both turned by quarters against the clock."""
    turned = turns if depth_turns is None else depth_turns
    pictures = [(photo, turns, b""), (depth, turned, full_box("auxC", b"urn:mpeg:hevc:2015:auxid:2\0"))]
    properties, owned, contents = [], [], []
    for pixels, turn, kind in pictures:
        settings, content = coded(pixels)
        size = full_box("ispe", struct.pack(">II", pixels.shape[1], pixels.shape[0]))
        mine = [settings, size, full_box("pixi", bytes([pixels.ndim * 2 - 3] + [8] * (pixels.ndim * 2 - 3)))]
        mine += [box("irot", bytes([turn]))] + ([kind] if kind else [])
        mine += [box("colr", b"nclx", struct.pack(">HHHB", 1, 13, 0, 0x80))] if pixels.ndim == 3 else []
        owned.append([len(properties) + number for number in range(1, len(mine) + 1)])
        properties += mine
        contents.append(content)
    contents += [xmp.encode(), bytes(4) + exif(**tags)]
    kinds = (b"hvc1\0", b"hvc1\0", b"mime\0application/rdf+xml\0", b"Exif\0")
    items = [full_box("infe", struct.pack(">HH", n, 0), kind, version=2) for n, kind in enumerate(kinds, 1)]
    references = ((b"auxl", 2, 1), (b"cdsc", 3, 2), (b"cdsc", 4, 1))
    listed = b"".join(struct.pack(">HB", n, len(own)) + bytes(own) for n, own in enumerate(owned, 1))
    fixed = [
        full_box("hdlr", struct.pack(">I4sIII", 0, b"pict", 0, 0, 0), b"\0"),
        full_box("pitm", struct.pack(">H", 1)),
        full_box("iinf", struct.pack(">H", len(items)), *items),
        full_box("iref", *(box(kind.decode(), struct.pack(">HHH", a, 1, b)) for kind, a, b in references)),
        box("iprp", box("ipco", *properties), full_box("ipma", struct.pack(">I", len(owned)), listed)),
    ]

    def meta(place: int) -> bytes:
        rows = []
        for number, content in enumerate(contents, 1):
            rows.append(struct.pack(">HHHII", number, 0, 1, place, len(content)))
            place += len(content)
        return full_box("meta", *fixed, full_box("iloc", b"\x44\0", struct.pack(">H", len(rows)), *rows))

    begin = box("ftyp", b"heic", bytes(4), b"mif1heic")
    return begin + meta(len(begin) + len(meta(0)) + 8) + box("mdat", *contents)


def write(folder: Path, files: dict[str, bytes] | Sequence[tuple[str, bytes]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in dict(files).items():
        (folder / name).write_bytes(content)
    return folder
