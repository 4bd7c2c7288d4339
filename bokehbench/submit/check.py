"""A bundle, scored again on the board's own targets, and where it would stand there. No model takes part."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bokehbench.batch import Batch
from bokehbench.board import boards, identity, leaderboard, results
from bokehbench.board.standings import Standings, standings
from bokehbench.cluster.once import Once
from bokehbench.data import decoding, image_io
from bokehbench.errors import BokehbenchError
from bokehbench.measure import again, pictures, verification
from bokehbench.metrics.columns import columns
from bokehbench.metrics.measurement import Measurement, sample_of
from bokehbench.metrics.sample import Sample
from bokehbench.submit import bundle
from bokehbench.submit.bundle import DECLARATION, FORMAT, MANIFEST, RECORD


@dataclass
class Checked(verification.Verdict):
    """What a check found: ``differ`` has a sentence for each fault; ``words`` is the declaration.

    ``standings`` are the board's with the record, whose ``id`` is that on the board; None where it cannot be on it.
    """

    words: Mapping[str, Any] = field(default_factory=dict)
    standings: Standings | None = None
    id: str = ""


def check(path: Path, name: str | None = None, root: Path | None = None, outputs: Path | None = None) -> Checked:
    """Score the pictures of the bundle at ``path`` again, and compare all that it says of itself.

    Args:
        name: name or folder of the board; None = the one of ours that the record names.
        root: the data's folder, where the board's pictures are files.
        outputs: folder of the pictures, for a bundle that has only their SHA-256.
    """
    found = Checked()
    with TemporaryDirectory() as folder:
        try:
            documents = bundle.unpack(path, Path(folder))
            _check(found, documents, name, root, bundle.outputs_in(outputs or Path(folder) / "pictures"))
        except BokehbenchError as error:
            found.differ += str(error).replace(f"{folder}/", "").splitlines()
        except (TypeError, AttributeError, LookupError, ValueError, ArithmeticError, RecursionError) as error:
            # A stranger's documents may hold anything
            found.differ.append(f"A document has another entry than `submit pack` writes ({error!r}).")
    return found


def _check(
    found: Checked, documents: Mapping[str, Any], name: str | None, root: Path | None, files: Mapping[str, Path]
) -> None:
    bundle.refuse_undeclared(documents[DECLARATION], DECLARATION)
    found.words, manifest = documents[DECLARATION], documents[MANIFEST]
    result = results.Result.from_json(json.dumps(documents[RECORD]), RECORD)
    if json.loads(result.to_json()) != documents[RECORD]:
        raise BokehbenchError(f"{RECORD} is not as a test writes it.")
    if manifest["format"] != FORMAT or (name is None and result.board not in boards.names()):
        raise BokehbenchError(f"The bundle is no {FORMAT}, or its board '{result.board}' is not one of ours.")
    board = boards.read_board(place := boards.find(name or result.board))
    if board.evaluator.rounding != "nearest":
        raise BokehbenchError(f"{board.name} scores unrounded pictures, which no PNG holds: give another board.")
    admitted = leaderboard.admit(board, result)
    others = [each for each in results.read_all(place) if each.id != admitted.id]
    found.id, found.standings = admitted.id, standings(board, [*others, admitted], [])
    found.differ += bundle.contamination(found.words, board, result)
    if lacking := {*board.columns} - {*result.columns, *result.missing}:
        found.differ.append(f"The record lacks {', '.join(sorted(lacking))} and does not say why.")
    if manifest["url"] and not files:
        raise BokehbenchError(f"The pictures are at {manifest['url']}: get them and give their --outputs.")
    data, hashes, scored = again.board_data(board, root), manifest["pictures"], set(result.per_image)
    data.setup("test")
    odd = [f"The output of {each} is missing." for each in sorted(scored - files.keys())]
    odd += [f"The output {each} is not in the record." for each in sorted({*files, *hashes} - scored)]
    odd += [f"The record has {len(scored)} of {board.count} pictures."] if len(scored) < board.count else []
    if (targets := pictures.target_files_hash(data)) and targets != result.target_hash:
        odd.append("The record was made with other target files than those here: they must be untouched.")
    if odd:
        raise BokehbenchError("\n".join(odd))

    def sample(batch: Batch) -> Sample:
        (name,), (height, width) = batch["name"], batch["image"].shape[-2:]
        if (size := decoding.picture_size(files[name])) != (height, width):
            raise BokehbenchError(f"The output of {name} has {size[1]} x {size[0]} pixels, not {width} x {height}.")
        content, output = files[name].read_bytes(), image_io.read_rgb(files[name])
        if hashlib.sha256(content).hexdigest() != hashes.get(name):
            found.differ.append(f"The output of {name} is not the one that was packed: its SHA-256 is another.")
        if not content.startswith(b"\x89PNG\r\n"):
            found.differ.append(f"The output of {name} is no PNG and may have lost detail: store it as PNG.")
        unchanged = pictures.picture_hash(output) == pictures.picture_hash(batch["image"][0])
        if unchanged and not found.words.get("unchanged"):
            found.differ.append(f"The output of {name} is its input, and the declaration does not say why.")
        return sample_of(output[None], batch)

    measurement = Measurement.named(set(result.columns) & columns().keys(), board.evaluator)
    rows = list(again.measure(Once(again.Again, board, data, measurement, sample), scored))
    found.differ += [f"The output of {row.name} is its target." for row in rows if row.prediction == row.target]
    verification.compare(found, result, rows, board)
    by_files = result.weights_hash == identity.OUTPUTS_ONLY
    now = identity.hash_files(files) if by_files else pictures.total_hash({row.name: row.prediction for row in rows})
    if result.prediction_hash != now:
        found.differ.append("The pictures are not those that the record was made from: their hash is another.")
