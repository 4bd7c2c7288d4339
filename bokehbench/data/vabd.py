"""VABD (of VABM, Variable Aperture Bokeh): scenes at f/16 and, as targets, at f/1.8, f/2.8 and f/8."""

import re
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from bokehbench.data.folders import Record, not_read, pair
from bokehbench.data.many_apertures import ManyApertures
from bokehbench.errors import BokehbenchError
from bokehbench.f_numbers import written

#: A folder of targets: its name is the f-number.
TARGETS = re.compile(r"\d{1,3}(?:_\d{1,2})?")


class VABD(ManyApertures):
    """VABD in its published layout; a folder of targets for each f-number, whichever they are.

    An item is called ``STEM_fN``, such as ``0099_f1.8``. The options are those of :class:`ManyApertures`;
    ``aperture_at_1024`` is for f/1.8.
    """

    layout = (
        "VABD is expected as ROOT/{train,test}/input/NAME.JPG with targets in ROOT/{train,test}/1_8/NAME.JPG, 2_8/ and "
        "8/ (folders named by the f-number), optionally with depth/NAME.png (disparity, bright = near) and "
        "focal/NAME.png (the subject in focus)."
    )
    layout_rank = 4
    widest = 1.8
    maps: ClassVar = {"disparity": ("depth", "disparity"), "mask": ("focal", "mask")}

    def read_split(self, folder: Path) -> tuple[list[Record], list[str]]:
        """As the base; BokehbenchError where a split has no folder of targets."""
        places = self.places(folder)
        targets = {
            float(each.name.replace("_", ".")): each
            for each in sorted(folder.iterdir())
            if TARGETS.fullmatch(each.name) and each.is_dir() and float(each.name.replace("_", "."))
        }
        if not targets:
            raise BokehbenchError(f"{folder} has no folder of targets. {self.layout}")
        self.notes += not_read(folder, [*places.values(), *targets.values()])
        records: list[Record] = []
        problems: list[str] = []
        for f_number, place in sorted(targets.items()):
            found, wrong = pair({**places, "bokeh": place}, notes=self.notes)
            records += [replace(r, name=f"{r.name}_f{written(f_number)}", f_number=f_number) for r in found]
            problems += [problem for problem in wrong if problem not in problems]
        return records, problems
