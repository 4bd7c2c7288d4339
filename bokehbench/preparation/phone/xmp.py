"""XMP of strangers: parsed without document types or entities, and bounded in size, number and depth of elements."""

from collections.abc import Iterable
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers.expat import ParserCreate

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
#: Of one packet; a depth map and a photo in base64 have a few million.
MOST_BYTES, MOST_ELEMENTS, DEEPEST = 64_000_000, 20_000, 64


def parse(packet: bytes) -> Element:
    """The tree of an XMP packet, with names as ``{namespace}name``.

    Raises:
        ValueError: a document type, in which entities are declared, or too large.
        xml.parsers.expat.ExpatError: no XML.
    """
    builder, parser, opened = TreeBuilder(), ParserCreate(namespace_separator="}"), {"now": 0, "ever": 0}

    def start(name: str, attributes: dict[str, str]) -> None:
        opened["now"], opened["ever"] = opened["now"] + 1, opened["ever"] + 1
        if opened["now"] > DEEPEST or opened["ever"] > MOST_ELEMENTS:
            raise ValueError("its XMP has too many elements")
        builder.start("{" + name, {"{" + key: value for key, value in attributes.items()})

    def end(name: str) -> None:
        opened["now"] -= 1
        builder.end("{" + name)

    def refuse(*declared: Any) -> None:
        raise ValueError("its XMP declares a document type, which is not read")

    if len(packet) > MOST_BYTES:
        raise ValueError(f"its XMP has more than {MOST_BYTES // 10**6} MB")
    parser.buffer_text, parser.CharacterDataHandler = True, builder.data
    parser.StartElementHandler, parser.EndElementHandler, parser.StartDoctypeDeclHandler = start, end, refuse
    parser.Parse(packet.strip(b"\0 \t\r\n"), True)
    return builder.close()


def properties(elements: Iterable[Element], namespace: str) -> dict[str, str]:
    """Name -> value of the properties below ``elements`` whose namespace starts so, attributes and elements alike.

    The items of an array are joined by spaces; of properties that stand twice the first counts.
    """
    found: dict[str, str] = {}
    for each in (each for element in elements for each in element.iter()):
        listed = [item.text or "" for item in each.iterfind(f"{RDF}Seq/{RDF}li")]
        text = (" ".join(listed) or each.text or "").strip()
        for key, value in (*each.attrib.items(), *([(each.tag, text)] if text else [])):
            if key.startswith("{" + namespace):
                found.setdefault(key.rpartition("}")[2], value)
    return found
