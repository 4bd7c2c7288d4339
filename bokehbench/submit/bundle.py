"""A submission as one file: a zip of JSON and PNG, from which nothing is run or imported. Starts without torch."""

import hashlib
import json
import re
import stat
import zlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, unquote
from zipfile import BadZipFile, ZipFile, ZipInfo

from bokehbench.board import results
from bokehbench.board.boards import Board
from bokehbench.board.identity import slug
from bokehbench.data.folders import list_pictures
from bokehbench.errors import BokehbenchError
from bokehbench.figures.stored_pictures import FOLDER
from bokehbench.files import refuse_devices, write_atomic

DOCUMENTS = MANIFEST, RECORD, DECLARATION = "manifest.json", "result.json", "declaration.json"
FORMAT = "bokehbench-submission-1"
#: Most MiB of a document, of a picture and of all, once unpacked.
MOST_TEXT, MOST_PICTURE, MOST = 8, 64, 8192
#: Of pictures, as :func:`pack` names them: no other name is ever given to the file system.
PICTURE = re.compile(r"pictures/[A-Za-z0-9_.~% -]{1,200}\.png")
#: A place on somebody's machine, in JSON.
MACHINE = re.compile(r'["\s=](~?/\w[^"\s/]*/[^"\s]*|[A-Za-z]:\\[^"\s]*|file:[^"\s]*)')

#: Entry -> what to give. ``unchanged``, which may be left out, says why outputs equal their inputs.
ENTRIES = {
    "overlap": "a sentence on what the training data and the board's test pictures share",
    "code_licence": "the licence of the code",
    "weights_licence": "the licence of the weights, or none",
    "contact": "an address",
}


def pack(source: Path, output: Path, words: Any, outputs: Path | None = None, url: str | None = None) -> int:
    """Write the bundle of a result, the same bytes each time; returns how many pictures it is of.

    Args:
        source: the result file that a test wrote, or its folder.
        words: the declaration.
        outputs: folder of the output pictures, PNG; None = where a test leaves them, beside the result.
        url: where the pictures are kept, if the bundle shall have only their SHA-256.

    Raises:
        BokehbenchError: no result, a picture that is missing, a path of this machine, or a place that is not writable.
    """
    file = source / RECORD if source.is_dir() else source
    result = results.read(file)
    names, files = sorted(result.per_image), outputs_in(outputs or file.parent / FOLDER / "output")
    if lost := [name for name in names if name not in files]:
        raise BokehbenchError(
            f"There are no outputs of {lost[0]} and {len(lost) - 1} others: test with --trainer.callbacks.pictures="
            f"{len(names)}, or give the folder that has them all as PNG with --outputs."
        )
    hashes = {name: hashlib.sha256(files[name].read_bytes()).hexdigest() for name in names}
    manifest = {"format": FORMAT, "pictures": hashes, "url": url}
    texts = {MANIFEST: json.dumps(manifest, indent=1), DECLARATION: json.dumps(words, indent=1, default=str)}
    texts[RECORD] = result.to_json()
    if found := MACHINE.search("".join(texts.values())):
        raise BokehbenchError(f"The record or the declaration names {found[1]}, a place on a machine: take it out.")

    def fill(file: IO[bytes]) -> None:
        with ZipFile(file, "w") as archive:  # ZipInfo: without the date and the rights of a file
            for name, text in texts.items():
                archive.writestr(ZipInfo(name), text)
            for name in names if url is None else ():
                archive.writestr(ZipInfo(f"pictures/{quote(name, safe=' ')}.png"), files[name].read_bytes())

    write_atomic(output, fill)
    return len(names)


def outputs_in(folder: Path) -> dict[str, Path]:
    """Picture's name -> its PNG, as a test and :func:`pack` name them."""
    return {unquote(stem): path for stem, path in list_pictures(folder, (".png",)).files.items()}


def unpack(path: Path, folder: Path) -> dict[str, Any]:
    """A bundle's documents by name; its pictures are written below ``folder``.

    Raises:
        BokehbenchError: no zip, or not what :func:`pack` writes: a line for each member that is not.
    """
    try:
        refuse_devices(path)
        with ZipFile(path) as archive:
            members = archive.infolist()
            if faults := _faults(members):
                raise BokehbenchError("\n".join(faults))
            archive.extractall(folder, [each.filename for each in members if each.filename not in DOCUMENTS])
            return {name: json.loads(archive.read(name)) for name in DOCUMENTS}
    except (BadZipFile, OSError, ValueError, RuntimeError, EOFError, zlib.error) as error:
        raise BokehbenchError(f"{path} cannot be read ({error}): give what `submit pack` wrote.") from error


def _faults(members: list[ZipInfo]) -> list[str]:
    times = Counter(each.filename for each in members)
    faults = [f"The bundle has no {name}." for name in DOCUMENTS if name not in times]
    for each in members:
        name, mib, link = each.filename, each.file_size >> 20, stat.S_ISLNK(each.external_attr >> 16)
        if not (name in DOCUMENTS or PICTURE.fullmatch(name)) or link or times[name] > 1:
            faults.append(f"{name} has no place in a bundle: it is no document or PNG, or a link, or there twice.")
        elif mib >= (most := MOST_TEXT if name in DOCUMENTS else MOST_PICTURE):
            faults.append(f"{name} unpacks to {mib} MiB: it must be less than {most}.")
    if (mib := sum(each.file_size for each in members) >> 20) >= MOST:
        faults.append(f"The bundle unpacks to {mib} MiB: it must be less than {MOST}.")
    return faults


def refuse_undeclared(words: Mapping[str, Any], where: str) -> None:
    """Raise BokehbenchError for the first entry that is missing or wrong; ``where`` names the file."""
    if not isinstance(words["data"], list) or not all(map(_described, words["data"])):
        raise BokehbenchError(f"{where}: `data` needs name and split of all training data, and your own a description.")
    for key, what in ENTRIES.items():
        if not str(words.get(key) or "").strip():
            raise BokehbenchError(f"{where} does not tell {key}: give {what}.")


def _described(data: Any) -> bool:
    if not isinstance(data, Mapping):
        return False
    wanted = ("name", "split", "description") if data.get("name") == "own" else ("name", "split")
    return all(isinstance(data.get(key), str) and data[key].strip() for key in wanted)


def contamination(words: Mapping[str, Any], board: Board, result: results.Result) -> list[str]:
    """A sentence for each reason why the weights have seen the test pictures, or were trained on what is not told."""
    split, data_set = slug(board.split), slug(str(board.data.get("name", "")).replace(":", ".").rpartition(".")[2])
    faults = [
        f"The declared training data {each['name']} ({each['split']}) hold the test pictures of {board.name}."
        for each in words["data"]
        if {split, slug(board.name)} & {slug(each["name"]), slug(each["split"])}
        or (slug(each["name"]) == data_set and slug(each["split"]) in ("test", "all"))
    ]
    if (why := board.contamination(result)) or "contaminated" in result.flags:
        faults.append(f"The record says that its weights saw the test pictures: {why or 'contaminated'}.")
    if not words["data"] and any(each.get("stages") or each.get("official") for _, _, each in result.lineage()):
        faults.append("The record is of weights that were trained, and the declaration names no training data.")
    return faults
