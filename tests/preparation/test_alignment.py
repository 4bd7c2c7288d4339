"""Pairs whose similarity and gain are known, since they were made with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from made_photos import save_photo, scene, similarity, taken
from made_photos import subject as in_focus
from PIL import Image

from bokehbench.data.image_io import read_rgb
from bokehbench.errors import BokehbenchError
from bokehbench.preparation.pairs.alignment import align
from bokehbench.preparation.pairs.geometry import common_rectangle, moved, resample, resized
from bokehbench.preparation.pairs.one_pair import Job, Outcome, Settings, make_pair

SIZE = (480, 640)
CORNERS = np.array([(0, 0), (SIZE[1] - 1, 0), (SIZE[1] - 1, SIZE[0] - 1), (0, SIZE[0] - 1)], float)
MOVES = {"shift": {"x": 5.3, "y": -3.8}, "turn": {"degrees": 1.2, "x": 4}, "zoom": {"scale": 1.03, "degrees": -0.7}}


def grey(pixels: np.ndarray) -> np.ndarray:
    return (pixels @ (0.299, 0.587, 0.114)).round().astype(np.uint8)


def worst_corner(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.hypot(*(moved(one, CORNERS) - moved(other, CORNERS)).T).max())


@pytest.mark.parametrize("blur", [0, 6])
@pytest.mark.parametrize("move", MOVES)
def test_corners_are_found_to_half_a_pixel(move, blur) -> None:
    narrow, truth = scene(1, SIZE), similarity(SIZE, **MOVES[move])
    found = align(grey(narrow), grey(taken(narrow, truth, (0.8, 0.8, 0.8), blur)))
    assert worst_corner(found.matrix, truth) < 0.5
    assert found.residual < 0.5
    assert found.shift < 0.3
    assert found.inliers <= found.matches
    if blur:
        assert found.sharpness.blurred > 0.4
        assert 0.1 < found.sharpness.in_focus.mean() < 0.5
    else:
        assert found.sharpness.in_focus.mean() > 0.8


def test_what_is_in_focus_decides_when_the_background_moves_elsewhere() -> None:
    """Parallax: the background is shifted by 9 px against the subject."""
    narrow = scene(2, SIZE)
    subject, background = similarity(SIZE, x=1.0), similarity(SIZE, x=10.0)
    wide = np.where(in_focus(SIZE)[..., None], taken(narrow, subject), taken(narrow, background, blur=2.5))
    found = align(grey(narrow), grey(wide))
    middle = np.array([[SIZE[1] / 2, SIZE[0] / 2]])
    assert moved(found.matrix, middle) - middle == pytest.approx(np.array([[1.0, 0.0]]), abs=0.3)


@pytest.mark.parametrize("kind", ["translation", "homography", "none"])
def test_other_ways_of_aligning(kind) -> None:
    narrow, truth = scene(3, SIZE), similarity(SIZE, x=0.6 if kind == "none" else 3.4)
    found = align(grey(narrow), grey(taken(narrow, truth, blur=5)), kind)
    if kind == "none":
        assert (found.matrix == np.eye(3)).all()
        assert found.residual == pytest.approx(0.6, abs=0.2)
    else:
        middle = np.array([[SIZE[1] / 2, SIZE[0] / 2]])
        assert moved(found.matrix, middle) - middle == pytest.approx(np.array([[3.4, 0]]), abs=0.3)


def test_other_photos_do_not_match() -> None:
    with pytest.raises(BokehbenchError, match="too few inliers"):
        align(grey(scene(4, SIZE)), grey(scene(5, SIZE)))
    with pytest.raises(BokehbenchError, match="too few features"):
        align(np.full(SIZE, 90, np.uint8), np.full(SIZE, 90, np.uint8))


def test_the_common_rectangle_has_no_borders() -> None:
    matrix = similarity(SIZE, 1.01, 2.0, 7.0, -4.0)
    part = common_rectangle(matrix, SIZE, SIZE)
    corners = np.array(
        [
            (part.left, part.top),
            (part.right - 1, part.top),
            (part.left, part.bottom - 1),
            (part.right - 1, part.bottom - 1),
        ]
    )
    there = moved(matrix, corners)
    assert (there >= 0).all()
    assert (there <= np.array(SIZE[::-1]) - 1).all()
    assert part.size[0] * part.size[1] > 0.85 * SIZE[0] * SIZE[1]
    assert common_rectangle(similarity(SIZE, x=900), SIZE, SIZE).size[1] == 0


def test_one_resampling_averages_over_the_area_of_a_pixel() -> None:
    stripes = np.zeros((90, 120, 1), np.float32)
    stripes[:, ::3] = 1
    small = resample(stripes, resized((30, 40), (90, 120)), (30, 40), 3.0)
    assert small.reshape(30, 40)[1:-1, 1:-1] == pytest.approx(1 / 3, abs=1e-6)
    ramp = np.tile(np.arange(120, dtype=np.float32)[None, :, None], (90, 1, 1))
    fine = resample(ramp, resized((45, 60), (90, 120)), (45, 60), 2.0)
    assert fine.reshape(45, 60)[20, 1:-1] == pytest.approx(np.arange(60)[1:-1] * 2 + 0.5, abs=1e-3)
    assert resample(ramp, np.eye(3), (90, 120), 1.0) is ramp


@pytest.fixture
def pair(tmp_path: Path):
    def make(
        wide: np.ndarray | None = None,
        narrow_f: float | None = 16,
        wide_f: float | None = 1.8,
        suffix: str = ".png",
        **options,
    ) -> tuple[Outcome, Job]:
        narrow = scene(6, SIZE)
        wide = taken(narrow, similarity(SIZE, 1.01, 0.5, 4, 2), (1.3, 1.25, 1.2), 6) if wide is None else wide
        job = Job("a", save_photo(tmp_path / "n" / "a.png", narrow, narrow_f),
                  save_photo(tmp_path / "w" / "a.png", wide, wide_f, focal_length=options.pop("focal_length", 50)),
                  (tmp_path / f"o{suffix}", tmp_path / f"b{suffix}"))  # fmt: skip
        save_photo(job.narrow, narrow, narrow_f, focal_length=50)
        return make_pair(job, Settings(suffix=suffix, **options)), job

    return make


def test_a_pair_is_written_with_the_gain_of_its_subject(pair) -> None:
    outcome, job = pair(height=None)
    assert outcome.refused is None
    gains = [outcome.measured[f"gain_{colour}"] for colour in ("red", "green", "blue")]
    assert gains == pytest.approx([1 / 1.3, 1 / 1.25, 1 / 1.2], rel=0.01)
    original, bokeh = (read_rgb(place) for place in job.places)
    assert original.shape == bokeh.shape
    assert original.shape[1:] == (outcome.measured["height"], outcome.measured["width"])
    assert 0.9 < outcome.measured["overlap"] < 1
    rows, columns = (slice(each // 2 - 40, each // 2 + 40) for each in original.shape[1:])
    assert (original - bokeh)[:, rows, columns].abs().mean() < 0.02, "the subject lies on the subject"
    narrow, (_, height, width) = read_rgb(job.narrow), original.shape
    crops = narrow.unfold(1, height, 1).unfold(2, width, 1).flatten(1, 2).transpose(0, 1)
    assert any((crop == original).all() for crop in crops), "the narrow photo is cropped and not resampled"


def test_exposure_is_kept_on_demand_and_the_height_is_as_asked(pair) -> None:
    outcome, job = pair(height=240, exposure="keep", suffix=".jpg")
    assert outcome.measured["height"] == 240
    assert outcome.measured["gain_red"] == 1
    original, bokeh = (read_rgb(place) for place in job.places)
    assert original.shape[1] == bokeh.shape[1] == 240
    assert bokeh.mean() > original.mean() + 0.03
    written = job.places[0].read_bytes()
    assert b"Somebody" not in written
    assert b"Exif" not in written


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"wide_f": 16}, "identical f-number: both photos are at f/16"),
        ({"narrow_f": 1.8, "wide_f": 16}, "f-numbers swapped: the wide photo is at f/16"),
        ({"focal_length": 85}, "focal lengths differ: 50 and 85 mm"),
        ({"wide": scene(6, SIZE)}, "same photo twice"),
        ({"wide": scene(6, (480, 600))}, "sizes differ: 640 x 480 and 600 x 480"),
        ({"wide": scene(7, SIZE)}, "too few inliers"),
        ({"wide": taken(scene(6, SIZE), similarity(SIZE, x=300))}, "overlap: the photos share"),
        ({"wide": taken(scene(6, SIZE), similarity(SIZE, 1.2))}, "scales differ"),
        ({"wide": taken(scene(6, SIZE), similarity(SIZE, x=8)), "align": "none"}, "residual"),
    ],
)  # fmt: skip
def test_pairs_that_do_not_match_are_refused_each_with_its_reason(pair, options, said) -> None:
    outcome, job = pair(**options)
    assert outcome.refused is not None
    assert said in outcome.refused
    assert not any(place.exists() for place in job.places)


def test_swapped_photos_are_told_by_their_sharpness_where_exif_says_nothing(pair, tmp_path: Path) -> None:
    narrow = scene(6, SIZE)
    soft = taken(narrow, np.eye(3), blur=6)
    job = Job(
        "a",
        save_photo(tmp_path / "a.png", soft),
        save_photo(tmp_path / "b.png", narrow),
        (tmp_path / "c.png", tmp_path / "d.png"),
    )
    refused = make_pair(job, Settings()).refused
    assert refused is not None
    assert "the wide photo is the sharper one" in refused


def test_photos_of_16_bits_turned_by_exif_are_read_upright_and_whole(tmp_path: Path) -> None:
    narrow = scene(8, SIZE)
    wide = taken(narrow, similarity(SIZE, x=3), blur=6)
    turned = np.rot90(wide).copy()  # upright again by orientation 6
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(turned).save(tmp_path / "wide.png", exif=exif)
    tifffile.imwrite(tmp_path / "narrow.tif", narrow.astype(np.uint16) * 257, photometric="rgb")
    job = Job("a", tmp_path / "narrow.tif", tmp_path / "wide.png", (tmp_path / "o.png", tmp_path / "b.png"))
    outcome = make_pair(job, Settings(height=None))
    assert outcome.refused is None
    assert outcome.measured["gain_red"] == pytest.approx(1, abs=0.01)
    assert read_rgb(job.places[1]).shape[1] > 0.95 * SIZE[0]
