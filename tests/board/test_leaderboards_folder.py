"""The boards of this repository: right, complete, and rendered from their files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import bokehbench
from bokehbench.board import leaderboard
from bokehbench.board.boards import read_board
from bokehbench.board.identity import OUTPUTS_ONLY, plain
from bokehbench.board.leaderboard import read_standings
from bokehbench.board.network import full_name, networks
from bokehbench.board.reported import column_of, read_reported
from bokehbench.board.results import read_all
from bokehbench.board.seeds import seeds_of
from bokehbench.data.splits import read_ids
from bokehbench.models import MODELS

HOME = Path(bokehbench.__file__).parents[1]
BOARDS = sorted(path.parent for path in (HOME / "leaderboards").glob("*/board.yaml"))
NAMES = [folder.name for folder in BOARDS]


def test_the_boards_that_are_promised_are_there():
    assert {"ebb-val294", "ebb-mini", "synthetic-dof", "iphone-depth"} <= set(NAMES)


@pytest.mark.parametrize("folder", BOARDS, ids=NAMES)
def test_tables_are_what_the_files_say(folder):
    assert leaderboard.check(folder) == []


@pytest.mark.parametrize("folder", BOARDS, ids=NAMES)
def test_no_machine_path_and_no_anonymous_result(folder):
    for result in read_all(folder):
        assert result.versions.get("bokehbench")
        assert not re.search(r"/(home|root|work|tmp|Users)/|[A-Z]:\\\\", result.to_json()), result.id
        assert result.commit or "dirty" in result.flags or result.weights_hash


@pytest.mark.parametrize("folder", BOARDS, ids=NAMES)
def test_networks_are_named_by_their_architecture(folder):
    for result in read_all(folder):
        kind = MODELS.get(result.method.lower())
        if kind is not None and result.weights_hash != OUTPUTS_ONLY:
            assert dict(result.network) == plain(kind.network(result.architecture)), result.id


@pytest.mark.parametrize("folder", BOARDS, ids=NAMES)
def test_no_trained_row_without_seed_network_budget_and_provenance(folder):
    results = [row.result for row in read_standings(folder).ranked]
    named = {text for name, _, _ in networks(results) for text in (name, name.partition(" ")[0])}
    for result in results:
        if result.parameters and result.weights_hash != OUTPUTS_ONLY:
            assert seeds_of(result) != "-", result.id
            assert full_name(result) in named, result.id
            assert result.training_seconds, result.id
            assert result.commit, result.id
            assert all(record.get("stages") or record.get("origins") for _, _, record in result.lineage()), result.id


def test_val294_is_the_committed_list():
    assert read_board(HOME / "leaderboards" / "ebb-val294").ids == read_ids("ebb_val294")


def test_published_val294_rows_are_the_ones_of_the_specification():
    folder = HOME / "leaderboards" / "ebb-val294"
    rows = read_reported(folder)
    published = {(row.method, row.metric, row.source[:2]): row.value for row in rows}
    assert published["MPFNet", "PSNR", "S1"] == "24.74"
    assert published["BoVAR", "SSIM", "S1"] == "0.8932"
    assert published["Stacked DMSHN", "SSIM", "S1"] != published["Stacked DMSHN", "SSIM", "S3"], "conflicts stay"
    assert {row.method for row in rows if row.flag == "contaminated"} == {"PyNET"}
    board = read_board(folder)
    columns = {(row.method, row.metric): column_of(board, row) for row in rows}
    assert columns["MPFNet", "SSIM"] == "ssim"
    assert columns["EBokehNet", "SSIM"] is None
    assert columns["BoVAR", "SSIM"] is None


@pytest.mark.parametrize("folder", BOARDS, ids=NAMES)
def test_a_docs_page_per_board(folder):
    text = (HOME / "docs" / "leaderboards" / f"{folder.name}.md").read_text()
    assert text.startswith(f"# {read_board(folder).title}\n")
    assert f"{folder.name}.md" in (HOME / "docs" / "leaderboards" / "index.md").read_text()


def test_the_citation_file_agrees_with_the_package():
    content = yaml.safe_load((HOME / "CITATION.cff").read_text())
    assert content["version"] == bokehbench.__version__
    assert content["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(content)
