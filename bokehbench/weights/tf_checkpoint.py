"""Variables of a TensorFlow checkpoint, without TensorFlow.

A checkpoint PREFIX is PREFIX.index, an uncompressed LevelDB-style table of protocol buffers that says for each variable
its type, shape, shard, offset, size and masked CRC-32C, and PREFIX.data-0000i-of-0000n, the bare bytes (the "tensor
bundle" format of tensorflow/core/util/tensor_bundle and tensorflow/core/protobuf/tensor_bundle.proto).
"""

import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from crc32c import crc32c

from bokehbench.errors import BokehbenchError

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
_TRAILER = 5
#: Numbers of tensorflow/core/framework/types.proto; text and resources are no weights.
_DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 4: "u1", 6: "i1", 9: "<i8", 10: "?", 19: "<f2"}


class Entry(NamedTuple):
    """Where one variable lies."""

    shape: tuple[int, ...]
    dtype: int
    shard: int
    offset: int
    size: int
    crc: int


def load(path: str | Path) -> dict[str, np.ndarray]:
    """Name -> array from an .npz file or a checkpoint prefix; raises BokehbenchError naming what is wrong."""
    if Path(path).suffix != ".npz":
        return read(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            return dict(archive)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise BokehbenchError(f"cannot read {path}: {error}; give a checkpoint prefix or a sound .npz file.") from error


def read(prefix: str | Path) -> dict[str, np.ndarray]:
    """Name -> array of all variables of PREFIX.index and its data files, each checked against its CRC-32C.

    Raises BokehbenchError for a missing or damaged file and for kinds of variables that are not plain numbers.
    """
    entries, shards = read_index(prefix)
    files = [Path(f"{prefix}.data-{i:05d}-of-{shards:05d}") for i in range(shards)]
    data = [np.memmap(_existing(file), np.uint8, "r") for file in files]
    variables = {}
    for name, entry in entries.items():
        if entry.dtype not in _DTYPES:
            raise BokehbenchError(f"'{name}' in {prefix} is no plain number array (TensorFlow type {entry.dtype}).")
        dtype = np.dtype(_DTYPES[entry.dtype])
        raw = data[entry.shard][entry.offset : entry.offset + entry.size]
        if raw.size != entry.size or entry.size != dtype.itemsize * int(np.prod(entry.shape, dtype=np.int64)):
            raise BokehbenchError(f"'{name}' does not fit into {files[entry.shard]}: the file is cut; fetch it again.")
        if masked_crc32c(raw.data) != entry.crc:
            raise BokehbenchError(f"'{name}' in {files[entry.shard]} has a wrong checksum; fetch the file again.")
        variables[name] = np.frombuffer(raw.tobytes(), dtype).reshape(entry.shape)
    return variables


def read_index(prefix: str | Path) -> tuple[dict[str, Entry], int]:
    """Entries by name, in the table's (alphabetical) order, and the number of data files."""
    path = _existing(Path(f"{prefix}.index"))
    table = path.read_bytes()
    try:
        if len(table) < _FOOTER or struct.unpack("<Q", table[-8:])[0] != _MAGIC:
            raise ValueError("no table footer")
        footer = table[-_FOOTER:]
        _, at = _handle(footer, 0)
        index, _ = _handle(footer, at)
        records: dict[bytes, bytes] = {}
        for _, value in _block(table, *index):
            records |= dict(_block(table, *_handle(value, 0)[0]))
        header = _message(records.pop(b""))
        if header.get(2, [0])[0] != 0:
            raise ValueError("big-endian data")
        if any(7 in _message(value) for value in records.values()):
            raise ValueError("variables split into slices")
        entries = {key.decode(): _entry(_message(value)) for key, value in records.items()}
    except (ValueError, KeyError, IndexError, struct.error) as error:
        raise BokehbenchError(f"{path} is no sound TensorFlow checkpoint index ({error}); fetch it again.") from error
    return entries, int(header.get(1, [1])[0])


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise BokehbenchError(f"{path} does not exist: give the checkpoint's prefix, without .index or .data-...")
    return path


def _block(table: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Key and value pairs of one block; keys share prefixes with the key before."""
    block = table[offset : offset + size]
    kind, crc = struct.unpack("<BI", table[offset + size : offset + size + _TRAILER])
    if kind != 0:
        raise ValueError("compressed block")
    if crc != masked_crc32c(table[offset : offset + size + 1]):
        raise ValueError("wrong checksum")
    restarts = struct.unpack("<I", block[-4:])[0]
    end, at, key = size - 4 * (restarts + 1), 0, b""
    while at < end:
        shared, at = _varint(block, at)
        fresh, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + fresh]
        at += fresh
        yield key, block[at : at + length]
        at += length


def masked_crc32c(data: bytes | memoryview) -> int:
    """The checksum as TensorFlow and LevelDB store it: rotated and offset."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _handle(data: bytes, at: int) -> tuple[tuple[int, int], int]:
    offset, at = _varint(data, at)
    size, at = _varint(data, at)
    return (offset, size), at


def _message(data: bytes) -> dict[int, list]:
    """Field number -> values of a protocol buffer message: numbers, or bytes where length-delimited."""
    fields: dict[int, list] = {}
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        value: int | bytes
        if tag & 7 == 0:
            value, at = _varint(data, at)
        elif tag & 7 == 2:
            length, at = _varint(data, at)
            value, at = data[at : at + length], at + length
        elif tag & 7 == 5:
            value, at = struct.unpack("<I", data[at : at + 4])[0], at + 4
        else:
            raise ValueError(f"protocol buffer field of kind {tag & 7}")
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def _entry(fields: dict[int, list]) -> Entry:
    dims = _message(fields.get(2, [b""])[0]).get(2, [])
    shape = tuple(int(_message(dim).get(1, [0])[0]) for dim in dims)
    return Entry(shape, *(int(fields.get(n, [0])[0]) for n in (1, 3, 4, 5, 6)))
