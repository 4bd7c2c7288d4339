"""What an offline W&B run left: ``from offline_run import read_run``."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path
from typing import Any

from google.protobuf.message import Message
from wandb.proto import wandb_internal_pb2 as pb

BLOCK, HEADER = 32768, 7
PATIENCE = 60.0
"""Seconds: wandb's own process writes the file, and its last lines may come after the run's command has returned."""


def records(path: Path) -> list[Message]:
    """The records of a ``.wandb`` file: LevelDB's log format after a header of seven bytes.

    A last record that is not all there yet is left out.
    """
    data, place, parts, found = path.read_bytes(), HEADER, b"", []
    while place + HEADER <= len(data):
        left = BLOCK - place % BLOCK
        if left < HEADER:
            place += left
            continue
        _, length, kind = struct.unpack("<IHB", data[place : place + HEADER])
        if place + HEADER + length > len(data):
            break
        parts += data[place + HEADER : place + HEADER + length]
        place += HEADER + length
        if kind in (1, 4):  # a whole record, or the last part of one
            record = pb.Record()
            record.ParseFromString(parts)
            found.append(record)
            parts = b""
    return found


def items(updates: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in updates:
        first, *rest = list(item.nested_key) or [item.key]
        value = json.loads(item.value_json)
        if rest:
            found.setdefault(first, {})["/".join(rest)] = value
        else:
            found[first] = value
    return found


def read_run(folder: Path) -> dict[str, Any]:
    """``rows`` (history), ``summary``, ``config``, ``artifacts`` (type -> files), ``folder``, ``run``."""
    (path,) = folder.glob("**/offline-run-*/run-*.wandb")
    patient_until = time.monotonic() + PATIENCE
    while not any(record.HasField("exit") for record in records(path)):  # the last thing that a run says
        assert time.monotonic() < patient_until, f"{path} has no exit record after {PATIENCE:.0f} s"
        time.sleep(0.1)
    found: dict[str, Any] = {"rows": [], "config": {}, "artifacts": {}, "folder": path.parent / "files"}
    for record in records(path):
        if record.WhichOneof("record_type") == "run":
            found["run"] = record.run
            found["config"] |= items(record.run.config.update)
        elif record.HasField("config"):
            found["config"] |= items(record.config.update)
        elif record.HasField("history"):
            found["rows"].append(items(record.history.item))
        elif record.HasField("artifact"):
            contents = {entry.path: Path(entry.local_path) for entry in record.artifact.manifest.contents}
            found["artifacts"][record.artifact.type] = contents
        elif record.HasField("exit"):
            found["exit"] = record.exit.exit_code
    found["summary"] = {key: value for row in found["rows"] for key, value in row.items()}
    return found
