"""What whoever submits a result declares, as plain values: training data, overlap, licences, contact. No torch."""

from collections.abc import Mapping
from typing import Any

from bokehbench.board.boards import Board
from bokehbench.board.identity import slug
from bokehbench.board.results import Result
from bokehbench.errors import BokehbenchError

#: Entry -> what to give. ``unchanged``, which may be left out, says why outputs equal their inputs.
ENTRIES = {
    "overlap": "a sentence on what the training data and the board's test pictures share",
    "code_licence": "the licence of the code",
    "weights_licence": "the licence of the weights, or none",
    "contact": "an address",
}


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


def contamination(words: Mapping[str, Any], board: Board, result: Result) -> list[str]:
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
