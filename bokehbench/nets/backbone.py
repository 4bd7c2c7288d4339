"""Bodies from timm, with or without ImageNet weights."""

import sys
from typing import Any

from bokehbench.errors import BokehbenchError


def timm_zoo() -> Any:
    """The module ``timm`` (a second to load), without Weights & Biases.

    timm loads that, too, and does not need it: a process that is killed would leave its folders in ``$TMPDIR``.
    """
    hidden = "wandb" not in sys.modules
    if hidden:
        sys.modules["wandb"] = None  # type: ignore[assignment]
    try:
        import timm
    finally:
        if hidden:
            del sys.modules["wandb"]
    return timm


def timm_body(name: str, pretrained: bool, **options: Any) -> Any:
    """A timm network that gives its features; ``options`` as of ``timm.create_model``.

    Raises:
        BokehbenchError: the ImageNet weights can be neither found nor downloaded.
    """
    try:
        return timm_zoo().create_model(name, pretrained=pretrained, features_only=True, **options)
    except Exception as error:  # hub, HTTP and file errors share no base class
        if not pretrained:
            raise
        raise BokehbenchError(
            f"The ImageNet weights '{name}' could not be downloaded ({type(error).__name__}): connect once to fill "
            "the cache, or start from random weights with --model.backbone_pretrained false."
        ) from error
