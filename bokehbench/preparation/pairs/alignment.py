"""How the wide photo lies on the narrow one: SIFT features, RANSAC, judged where the wide photo is in focus.

A match of the whole picture misleads, since the camera moves between two shots and near and far things then shift by
different amounts. So the features in focus alone decide. A similarity is the default: a homography has four more
numbers, with which it follows the shift of the background.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from bokehbench.errors import BokehbenchError
from bokehbench.preparation.pairs.focus_region import Sharpness, compare_sharpness, details
from bokehbench.preparation.pairs.geometry import moved, opencv

Kind = Literal["similarity", "homography", "translation", "none"]
#: Fewer matches than this that agree are chance.
FEWEST = 12
#: Of SIFT: how many features, and the contrast that they have at least.
MOST_FEATURES, CONTRAST = 3000, 0.02
#: Of Lowe (2004): the best match of a feature must be so much nearer than the second best.
RATIO = 0.75
#: Pixels, in a picture up to 1024 high, by which matches may disagree: of the whole picture, then of what is in focus.
COARSE, FINE = 6.0, 1.5
#: Features are looked for once more so near to where the whole picture's match takes them.
NEAR = 24.0
#: The largest shift of the subject that is looked for, as a part of the height.
REACH = 1 / 80
#: A larger shift of the subject that is left is refused, and by default such a median residual; of the same pixels.
MOST_SHIFT, MOST_RESIDUAL = 1.0, 1.0


@dataclass(frozen=True)
class Alignment:
    """What was found, in pixels of the pictures that were compared.

    ``matrix`` takes pixels of the narrow picture to those of the wide one. ``inliers`` of ``matches`` features in focus
    agree with it, with the median distance ``residual``. ``shift`` is by how much the subject is off afterwards, found
    without features, ``before`` by how much it was off. ``sharpness`` tells of the aligned pictures.
    """

    matrix: np.ndarray
    matches: int
    inliers: int
    residual: float
    shift: float
    before: float
    sharpness: Sharpness


def align(
    narrow: np.ndarray, wide: np.ndarray, kind: Kind = "similarity", most_residual: float = MOST_RESIDUAL
) -> Alignment:
    """Align two pictures H W uint8 of one size.

    Args:
        narrow, wide: luma of both.
        kind: what the wide photo may be moved by; ``none`` moves nothing, and judges all the same.
        most_residual: the largest median distance of the subject's features, in pixels of a picture up to 1024 high.

    Raises:
        BokehbenchError: they do not match; the sentence has the reason.
    """
    unit = max(1.0, len(narrow) / 1024)
    features = _Features(narrow, wide)
    here, there = features.matches()
    matrix = np.eye(3)
    if kind != "none":
        matrix, inliers = _fitted("similarity", here, there, COARSE * unit)
        _refuse_few(inliers, len(here), "agree")
        here, there = features.matches(matrix, NEAR * unit)
    for _ in range(2):  # the region is found on aligned pictures, which it helps to align
        sharpness = compare_sharpness(narrow, warped(wide, matrix))
        rows, columns = here.round().astype(int).T[::-1].clip(0, np.array(narrow.shape)[:, None] - 1)
        inside = sharpness.in_focus[rows, columns]
        _refuse_few(inside, len(here), "lie where both photos are sharp")
        if kind != "none":
            matrix, inliers = _fitted(kind, here[inside], there[inside], FINE * unit)
            _refuse_few(inliers, int(inside.sum()), "agree in what is in focus")
    found = moved(matrix, here[inside])
    distances = np.hypot(*(found - there[inside]).T)
    inliers = distances < (FINE * unit if kind != "none" else np.inf)
    residual = float(np.median(distances[inliers]))
    if residual > most_residual * unit:
        raise BokehbenchError(f"residual: half of the features in focus are off by more than {residual:.1f} px.")
    shift = float(np.hypot(*_shift(narrow, warped(wide, matrix), sharpness.in_focus)))
    if shift > MOST_SHIFT * unit:
        raise BokehbenchError(f"shift: what is in focus is off by {shift:.1f} px after the alignment.")
    before = float(np.median(np.hypot(*(here[inside] - there[inside])[inliers].T)))
    return Alignment(matrix, int(inside.sum()), int(inliers.sum()), residual, shift, before, sharpness)


def warped(picture: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The picture H W or H W C as seen by the other; for comparing alone."""
    cv2 = opencv()
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = picture.shape[1::-1]
    return np.asarray(cv2.warpPerspective(picture, matrix, size, flags=flags, borderMode=cv2.BORDER_REFLECT_101))


class _Features:
    """SIFT features of two pictures: places N 2 and descriptions."""

    def __init__(self, narrow: np.ndarray, wide: np.ndarray) -> None:
        cv2 = opencv()
        sift = cv2.SIFT_create(nfeatures=MOST_FEATURES, contrastThreshold=CONTRAST, enable_precise_upscale=True)
        (ours, self.our_words), (theirs, self.their_words) = (
            sift.detectAndCompute(each, None) for each in (narrow, wide)
        )
        if min(len(ours), len(theirs)) < FEWEST:
            raise BokehbenchError(f"too few features: {len(ours)} and {len(theirs)}.")
        self.here, self.there = (np.array([point.pt for point in each]) for each in (ours, theirs))
        self.matcher = cv2.BFMatcher(cv2.NORM_L2)

    def matches(self, matrix: np.ndarray | None = None, radius: float = 0) -> tuple[np.ndarray, np.ndarray]:
        """Places of the same features in both; only up to ``radius`` pixels from where ``matrix`` takes them."""
        near = None
        if matrix is not None:
            (ours, theirs) = (each.T.astype(np.float32) for each in (moved(matrix, self.here), self.there))
            away = [np.abs(one[:, None] - other) < radius for one, other in zip(ours, theirs, strict=True)]
            near = (away[0] & away[1]).astype(np.uint8)
        found = self.matcher.knnMatch(self.our_words, self.their_words, k=2, mask=near)
        good = [each[0] for each in found if len(each) == 2 and each[0].distance < RATIO * each[1].distance]
        _refuse_few(np.ones(len(good), bool), len(self.here), "have a match")
        return self.here[[match.queryIdx for match in good]], self.there[[match.trainIdx for match in good]]


def _fitted(kind: Any, here: np.ndarray, there: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """The matrix from ``here`` to ``there`` with which most agree to ``threshold`` pixels, and which of them do."""
    cv2 = opencv()
    options = {"method": cv2.RANSAC, "ransacReprojThreshold": threshold, "maxIters": 5000, "confidence": 0.9999}
    none = np.eye(3), np.zeros(len(here), bool)
    if kind == "homography":
        matrix, chosen = cv2.findHomography(here, there, **options)
        return none if matrix is None else (matrix, chosen.ravel() > 0)
    rows, chosen = cv2.estimateAffinePartial2D(here, there, **options)
    if rows is None:
        return none
    inliers = chosen.ravel() > 0
    if kind == "translation":
        matrix = np.eye(3)
        matrix[:2, 2] = np.median((there - here)[inliers], axis=0)
        return matrix, inliers
    return np.vstack([rows, (0, 0, 1)]), inliers


def _shift(narrow: np.ndarray, wide: np.ndarray, region: np.ndarray) -> np.ndarray:
    """By how much (x, y) the details inside ``region`` are shifted in the wide picture, up to :data:`REACH`."""
    reach = max(2, round(len(narrow) * REACH))
    inner = np.zeros_like(region)
    inner[reach:-reach, reach:-reach] = region[reach:-reach, reach:-reach]
    if not inner.any():
        return np.array([np.nan, np.nan])
    rows, columns = (np.flatnonzero(inner.any(axis)) for axis in (1, 0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    ours = (details(narrow) * inner)[top:bottom, left:right]
    theirs = details(wide)[top - reach : bottom + reach, left - reach : right + reach]
    cv2 = opencv()
    fit = cv2.matchTemplate(theirs, ours, cv2.TM_CCORR)
    y, x = np.unravel_index(fit.argmax(), fit.shape)
    if 0 < y < 2 * reach and 0 < x < 2 * reach:
        x, y = x + _summit(*fit[y, x - 1 : x + 2]), y + _summit(*fit[y - 1 : y + 2, x])
    return np.array([x, y]) - reach


def _summit(before: float, at: float, after: float) -> float:
    """Where a parabola through three values has its summit, from the middle one."""
    return 0.5 * (before - after) / (before - 2 * at + after)


def _refuse_few(which: np.ndarray, of: int, what: str) -> None:
    if (count := int(which.sum())) < FEWEST:
        raise BokehbenchError(f"too few inliers: {count} of {of} features {what}, {FEWEST} are needed.")
