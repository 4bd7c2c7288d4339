"""Callbacks for tests: the process is killed at a certain step, as by a power cut, or waits there for its killer."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback


class KillAt(Callback):
    """SIGKILL before optimiser step ``step``."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, *args: object) -> None:
        if trainer.global_step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


class StopAt(Callback):
    """A mistake of somebody's own code before optimiser step ``step``."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, *args: object) -> None:
        if trainer.global_step == self.step:
            raise ZeroDivisionError("by zero")


class CrashAtTest(Callback):
    """A mistake of somebody's own code, as a test begins."""

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        raise ZeroDivisionError("by zero")


class WaitAt(Callback):
    """Before optimiser step ``step`` writes the file ``waiting``, and goes on when it is gone; once it was there, never
    again."""

    def __init__(self, step: int, waiting: str) -> None:
        self.step, self.waiting, self.waited = step, Path(waiting), Path(f"{waiting}.done")

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, *args: object) -> None:
        if trainer.global_step == self.step and not self.waited.exists():
            self.waited.touch()
            self.waiting.touch()
            while self.waiting.exists():
                time.sleep(0.05)


class SignalAt(Callback):
    """A signal to this process while optimiser step ``step`` is at work, or in the validation that follows."""

    def __init__(self, step: int, number: int = 15, validating: bool = False) -> None:
        self.step, self.number, self.validating = step, number, validating

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, *args: object) -> None:
        if trainer.global_step == self.step and not self.validating:
            os.kill(os.getpid(), self.number)

    def on_validation_batch_start(self, trainer: Trainer, pl_module: LightningModule, *args: object) -> None:
        if trainer.global_step == self.step and self.validating:
            os.kill(os.getpid(), self.number)


class SignalAtTest(Callback):
    """SIGTERM to this process as the first picture of a test begins."""

    def on_test_batch_start(self, *args: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)


class FillAt(Callback):
    """Before optimiser step ``step`` the disk of ``folder`` becomes full."""

    def __init__(self, step: int, folder: str) -> None:
        self.step, self.place = step, Path(folder) / "filling"

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, *args: object) -> None:
        if trainer.global_step == self.step:
            with suppress(OSError), self.place.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))


class NaNAt(Callback):
    """At optimiser step ``step`` the picture or a pixel of the batch's ``key`` is NaN, or a weight (``key`` empty)."""

    def __init__(self, step: int, key: str = "") -> None:
        self.step, self.key = step, key

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: dict, *args: object) -> None:
        if trainer.global_step == self.step and self.key:
            batch[self.key][0, ..., 0, 0] = float("nan")
        elif trainer.global_step == self.step:
            next(each for each in pl_module.parameters() if each.requires_grad).data.fill_(float("nan"))


class BreakAt(Callback):
    """Before optimiser step ``step`` every picture below ``folder`` is cut short."""

    def __init__(self, step: int, folder: str) -> None:
        self.step, self.folder = step, Path(folder)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, *args: object) -> None:
        if trainer.global_step == self.step:
            for path in self.folder.rglob("*.png"):
                path.write_bytes(path.read_bytes()[:-40])


class KillLoaderAt(Callback):
    """SIGKILL to the processes that load pictures, before optimiser step ``step``."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, *args: object) -> None:
        if trainer.global_step == self.step:
            for child in multiprocessing.active_children():
                child.kill()


class OutOfMemoryAt(Callback):
    """Before optimiser step ``step``, or the first picture of another verb, memory ends as ``kind`` tells of it."""

    KINDS: ClassVar = {
        "python": MemoryError(),
        "torch": RuntimeError(
            "[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory"
        ),
        "cuda": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
        "system": OSError(errno.ENOMEM, "Cannot allocate memory"),
    }

    def __init__(self, kind: str, step: int = 0) -> None:
        self.kind, self.step = kind, step

    def on_train_batch_start(self, trainer: Trainer, *args: object) -> None:
        if trainer.global_step == self.step:
            raise self.KINDS[self.kind]

    def on_test_batch_start(self, *args: object) -> None:
        raise self.KINDS[self.kind]
