"""Our layered renderer as a command of others: floats in, floats out."""

import json
import sys
from pathlib import Path

import numpy as np
import torch

from bokehbench.models import Layered

torch.set_num_threads(1)
for picture in json.loads(Path(sys.argv[1]).read_text())["pictures"]:
    image = torch.from_numpy(np.load(picture["image"])).permute(2, 0, 1)[None].contiguous()
    disparity = torch.from_numpy(np.load(picture["map"]))[None, None]
    settings = {"focus": picture["focus"], "aperture": picture["strength"]}
    output = Layered().eval().render(image, disparity=disparity, **settings).image
    np.save(picture["output"], output[0].permute(1, 2, 0).numpy())
