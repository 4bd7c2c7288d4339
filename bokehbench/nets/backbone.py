"""Bodies from timm, with or without ImageNet weights."""

from typing import Any

from bokehbench.errors import BokehbenchError


def timm_body(name: str, pretrained: bool, **options: Any) -> Any:
    """A timm network that gives its features; ``options`` as of ``timm.create_model``.

    Raises:
        BokehbenchError: the ImageNet weights can be neither found nor downloaded.
    """
    import timm  # its zoo takes a second to load, and renderers need none of it

    try:
        return timm.create_model(name, pretrained=pretrained, features_only=True, **options)
    except Exception as error:  # hub, HTTP and file errors share no base class
        if not pretrained:
            raise
        raise BokehbenchError(
            f"The ImageNet weights '{name}' could not be downloaded ({type(error).__name__}): connect once to fill "
            "the cache, or start from random weights with --model.backbone_pretrained false."
        ) from error
