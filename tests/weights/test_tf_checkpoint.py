"""The checkpoint reader, on bundles that a small writer here makes (TensorFlow's own were read by hand)."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from bokehbench.errors import BokehbenchError
from bokehbench.weights import tf_checkpoint
from bokehbench.weights.tf_checkpoint import masked_crc32c

NUMBERS = {"float32": 1, "float64": 2, "int64": 9, "object": 7}


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def block(records: list[tuple[bytes, bytes]]) -> bytes:
    out, last = b"", b""
    for key, value in records:
        shared = next((i for i, (a, b) in enumerate(zip(key, last, strict=False)) if a != b), min(len(key), len(last)))
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    out += struct.pack("<II", 0, 1) + b"\x00"
    return out + struct.pack("<I", masked_crc32c(out))


def write(prefix: Path, variables: dict[str, np.ndarray]) -> None:
    data, records = b"", [(b"", field(1, 1))]
    for name in sorted(variables):
        value = variables[name]
        raw = value.tobytes() if value.dtype != object else b"text"
        shape = b"".join(field(2, field(1, n)) for n in value.shape)
        entry = field(1, NUMBERS[value.dtype.name]) + field(2, shape) + field(4, len(data)) + field(5, len(raw))
        records.append((name.encode(), entry + varint(6 << 3 | 5) + struct.pack("<I", masked_crc32c(raw))))
        data += raw
    content = block(records)
    index = block([(b"~", varint(0) + varint(len(content) - 5))])
    handles = varint(0) + varint(0) + varint(len(content)) + varint(len(index) - 5)
    footer = handles.ljust(40, b"\x00") + struct.pack("<Q", 0xDB4775248B80FB57)
    Path(f"{prefix}.index").write_bytes(content + index + footer)
    Path(f"{prefix}.data-00000-of-00001").write_bytes(data)


@pytest.fixture
def variables() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "net/conv/weights": rng.standard_normal((3, 3, 2, 4)).astype(np.float32),
        "net/conv/biases": rng.standard_normal(4).astype(np.float32),
        "net/scale": np.array(2.5),
        "step": np.array([7, 8], np.int64),
        "empty": np.zeros((0, 3), np.float32),
    }


def test_reads_what_was_written(tmp_path: Path, variables: dict[str, np.ndarray]) -> None:
    write(tmp_path / "model", variables)
    read = tf_checkpoint.load(tmp_path / "model")
    assert set(read) == set(variables)
    for name, value in variables.items():
        assert read[name].dtype == value.dtype
        assert read[name].shape == value.shape
        assert np.array_equal(read[name], value)


def test_reads_npz(tmp_path: Path, variables: dict[str, np.ndarray]) -> None:
    np.savez(tmp_path / "model.npz", **variables)  # type: ignore[arg-type]
    assert np.array_equal(tf_checkpoint.load(tmp_path / "model.npz")["step"], variables["step"])


def test_the_checksum_is_the_one_of_the_format() -> None:
    crc = 0xE3069283  # CRC-32C of these digits, in the standard
    assert masked_crc32c(b"123456789") == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def test_damage_is_named(tmp_path: Path, variables: dict[str, np.ndarray]) -> None:
    write(tmp_path / "model", variables)
    data = tmp_path / "model.data-00000-of-00001"
    sound = data.read_bytes()
    data.write_bytes(sound[:20] + bytes([sound[20] ^ 1]) + sound[21:])
    with pytest.raises(BokehbenchError, match=r"'net/conv/\w+' .* checksum"):
        tf_checkpoint.load(tmp_path / "model")
    data.write_bytes(sound[:-1])
    with pytest.raises(BokehbenchError, match=r"'step' does not fit"):
        tf_checkpoint.load(tmp_path / "model")
    data.unlink()
    with pytest.raises(BokehbenchError, match="data-00000-of-00001 does not exist"):
        tf_checkpoint.load(tmp_path / "model")


@pytest.mark.parametrize("cut", [0, 10, 60])
def test_damaged_index_is_named(tmp_path: Path, variables: dict[str, np.ndarray], cut: int) -> None:
    write(tmp_path / "model", variables)
    index = tmp_path / "model.index"
    sound = index.read_bytes()
    index.write_bytes(sound[:cut] + b"!" + sound[cut + 2 :])
    with pytest.raises(BokehbenchError, match=r"model\.index is no sound"):
        tf_checkpoint.load(tmp_path / "model")


def test_text_and_missing_files_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "model", {"words": np.array(["a"], object)})
    with pytest.raises(BokehbenchError, match=r"'words' .* no plain number"):
        tf_checkpoint.load(tmp_path / "model")
    with pytest.raises(BokehbenchError, match=r"other\.index does not exist"):
        tf_checkpoint.load(tmp_path / "other")
    np.savez(tmp_path / "model.npz", kernel=np.arange(1000.0))
    cut = (tmp_path / "model.npz").read_bytes()[:900]
    for content in (b"no archive", b"", cut):
        (tmp_path / "bad.npz").write_bytes(content)
        with pytest.raises(BokehbenchError, match=r"bad\.npz"):
            tf_checkpoint.load(tmp_path / "bad.npz")
