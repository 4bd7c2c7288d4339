"""What a depth network's numbers mean: depth polarity is the classic bug of this field."""

from __future__ import annotations

from typing import Any

from bokehbench.errors import BokehbenchError

#: Architectures of `transformers` whose processed output is a distance: larger = farther.
DISTANCE = ("chmv2", "depth_pro", "glpn", "tipsv2_dpt", "zoedepth")


def output_of(config: Any) -> str:
    """``"disparity"`` (larger = nearer) or ``"depth"`` (larger = farther), from a `transformers` configuration.

    - ``depth_anything``: its ``depth_estimation_type``, relative = disparity, metric = depth.
    - ``dpt``: disparity, as MiDaS is trained (Ranftl et al. 2020), but depth with a DINOv2 body: those that are
      published were trained on NYU and KITTI distances.
    - GLPN, ZoeDepth, Depth Pro (after the library's post-processing) and the others of :data:`DISTANCE`: depth.

    Raises:
        BokehbenchError: an architecture that is not known here: say which it is.
    """
    kind = str(getattr(config, "model_type", ""))
    if kind == "depth_anything":
        return "depth" if getattr(config, "depth_estimation_type", "relative") == "metric" else "disparity"
    if kind == "dpt":
        body = getattr(getattr(config, "backbone_config", None), "model_type", "")
        return "depth" if body in ("dinov2", "dinov2_with_registers") else "disparity"
    if kind in DISTANCE:
        return "depth"
    raise BokehbenchError(
        f"It is not known whether a model of type '{kind}' gives disparity (larger = nearer) or depth (larger = "
        "farther): write transformers-disparity:ID or transformers-depth:ID."
    )
