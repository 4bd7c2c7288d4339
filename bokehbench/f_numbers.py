"""f-numbers of pictures: in their names, in words, and pictures grouped by them. Plain Python: starts without torch."""

import re
from collections.abc import Mapping

#: What ends the name of a picture with an f-number, as RealBokeh writes it: ``12_f2.8``, ``12_f11``.
ENDING = re.compile(r"_f(\d{1,3}(?:\.\d{1,3})?)$")


def f_number_in(name: str) -> float | None:
    """The f-number at the end of a picture's name (its file's stem); None where there is none."""
    found = ENDING.search(name)
    return float(found[1]) or None if found else None


def written(f_number: float) -> str:
    """As RealBokeh writes it: ``2.0``, ``7.1``, ``11``."""
    return f"{f_number:.1f}" if f_number < 10 and round(f_number, 1) == f_number else f"{f_number:g}"


def grouped(f_numbers: Mapping[str, float]) -> dict[float, list[str]]:
    """Names by f-number, the smallest first; empty where all pictures have the same, so that a table adds nothing."""
    found = {each: [n for n, value in f_numbers.items() if value == each] for each in sorted({*f_numbers.values()})}
    return found if len(found) > 1 else {}
