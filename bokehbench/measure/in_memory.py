"""Scores for Python: of folders, of pictures in memory, of a method on a data set; as frames with a row per picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from pytorch_lightning import Trainer
from tqdm import tqdm

from bokehbench.board.results import Result, read
from bokehbench.data.base import BokehDataModule
from bokehbench.data.in_memory import Source, photo_of
from bokehbench.errors import BokehbenchError
from bokehbench.measure.folder_scores import Settings, score_pairs
from bokehbench.measure.paired_folders import pair_folders
from bokehbench.measure.pictures import measured
from bokehbench.measure.recorder import ResultRecorder
from bokehbench.metrics.columns import find_column
from bokehbench.metrics.measurement import Measurement
from bokehbench.metrics.protocols import Protocol
from bokehbench.metrics.sample import Sample
from bokehbench.models.base import BokehModel

Pictures = Mapping[str, Source] | Sequence[Source]


def score_folders(outputs: Path, targets: Path, protocol: Protocol, columns: Sequence[str]) -> pd.DataFrame:
    """Pictures of two folders, paired by file stem; BokehbenchError for anything odd."""
    pairing = pair_folders({outputs.name: outputs}, targets)
    pairing.refuse(set())
    pictures = score_pairs(pairing.pairs[outputs.name], Settings((protocol,), _besides(protocol, columns)))
    if bad := [picture.unreadable for picture in pictures if picture.unreadable]:
        raise BokehbenchError("not scored: " + "; ".join(bad))
    return _frame({picture.name: picture.scores[protocol.name] | picture.more for picture in pictures})


def score_pictures(outputs: Pictures, targets: Pictures, protocol: Protocol, columns: Sequence[str]) -> pd.DataFrame:
    """Pictures by name, or one by one; BokehbenchError for a picture without partner or of another size."""
    ours, theirs = _named(outputs), _named(targets)
    if odd := ours.keys() ^ theirs.keys():
        raise BokehbenchError(f"not scored, without a partner: {', '.join(sorted(odd)[:5])}: give each picture twice.")
    measurement = Measurement.of_protocol(protocol, (*protocol.columns, *_besides(protocol, columns)))
    found = {}
    for name, target in tqdm(theirs.items(), desc="score", unit="picture", disable=len(theirs) < 8):
        pair = photo_of(ours[name]).image[None], photo_of(target).image[None]
        if pair[0].shape != pair[1].shape:
            sizes = " and ".join(f"{each.shape[-1]} x {each.shape[-2]}" for each in pair)
            raise BokehbenchError(f"{name}: output and target have {sizes} pixels: give pictures of one size.")
        scores = measurement.of(Sample(*pair, names=[name]), strict=False)
        found[name] = {column: value if isinstance(value, str) else float(value[0]) for column, value in scores.items()}
    return _frame(found)


def score_test_pictures(
    model: BokehModel, data: BokehDataModule, protocol: Protocol, columns: Sequence[str]
) -> pd.DataFrame:
    """The test pictures of a data set, rendered and measured."""
    measurement = Measurement.of_protocol(protocol, tuple(find_column(each).name for each in columns))
    data.setup("test")
    found: dict[str, dict[str, float | str]] = {}
    for given in tqdm(data.test_dataloader(), desc="render and score", unit="picture"):
        batch = data.transfer_batch_to_device(given, model.device, 0)
        found |= {picture.name: picture.scores for picture in measured(batch, model.sample(batch), measurement)}
    return _frame(found)


def record_test(model: BokehModel, data: BokehDataModule, recorder: ResultRecorder) -> Result:
    """A test in this process, on the device where the method is; refuses what the recorder refuses."""
    device = model.device
    trainer = Trainer(
        accelerator="gpu" if device.type == "cuda" else device.type,
        devices=[device.index or 0] if device.type == "cuda" else 1,
        callbacks=[recorder],
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    trainer.test(model, datamodule=data, verbose=False)
    model.to(device)  # Lightning leaves it on the CPU
    return read(recorder.path)


def _named(pictures: Pictures) -> dict[str, Source]:
    return dict(pictures) if isinstance(pictures, Mapping) else {f"{n}": each for n, each in enumerate(pictures)}


def _besides(protocol: Protocol, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns that the protocol does not have; BokehbenchError for an unknown one."""
    return tuple(name for name in (find_column(each).name for each in columns) if name not in protocol.columns)


def _frame(found: Mapping[str, Mapping[str, float | str]]) -> pd.DataFrame:
    """NaN where there is no value; why there is none in ``attrs["missing"]``."""
    frame = pd.DataFrame.from_dict(dict(found), orient="index").rename_axis("name")
    missing = {c: next((v for v in frame[c] if isinstance(v, str)), "") for c in frame}
    frame = frame.apply(pd.to_numeric, errors="coerce")
    frame.attrs["missing"] = {column: why for column, why in missing.items() if why}
    return frame
