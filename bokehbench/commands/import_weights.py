"""``bokehbench import-weights``: the authors' weights, as a folder of weights or a checkpoint of ours."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytorch_lightning

from bokehbench.callbacks.fit_summary import next_command
from bokehbench.checkpoints import write_checkpoint
from bokehbench.models import MODELS
from bokehbench.models.weights import load_state
from bokehbench.provenance import code_of
from bokehbench.sharing import Weights


def main(argv: list[str]) -> int:
    """Read, check every name and shape, write."""
    parser = argparse.ArgumentParser(prog="bokehbench import-weights", description=__doc__)
    parser.add_argument("--model", type=MODELS.typed, required=True, help=f"{MODELS.choices}")
    parser.add_argument(
        "--checkpoint", required=True, nargs="+", type=Path,
        help="the authors' file or files; for TensorFlow the prefix before .index and .data-00000-of-00001",
    )  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, help="folder, or FILE.ckpt; default: MODEL_official, a folder")
    parser.add_argument("--licence", default="", help="of the weights, where you know it: results will name it")
    options = parser.parse_args(argv[1:])
    kind = options.model
    output = options.output or Path(f"{kind.__name__.lower()}_official")
    arguments, read = kind.official()
    model = kind(**arguments)
    load_state(model.net, read(*options.checkpoint), ", ".join(map(str, options.checkpoint)))
    told = {"weights": "", "official": True, "licence": options.licence, **code_of(kind)}
    model.provenance = replace(model.provenance, **told)
    if output.suffix == ".ckpt":
        content: dict[str, Any] = {
            "state_dict": model.state_dict(),
            "hyper_parameters": dict(model.hparams),
            "pytorch-lightning_version": pytorch_lightning.__version__,
        }
        model.on_save_checkpoint(content)
        write_checkpoint(content, output)
    else:
        Weights(model).save_pretrained(output)
    print(f"{len(model.state_dict())} tensors of {kind.__name__}: {output}")
    print(next_command(model, str(output)))
    return 0
