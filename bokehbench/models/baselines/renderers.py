"""The photo as it is, and renderers of a given disparity map: planes, fixed disks, circles of confusion, rays."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from bokehbench.errors import check_options
from bokehbench.models.base import BokehModel
from bokehbench.models.rendering import Prepared
from bokehbench.models.uses import Uses
from bokehbench.optics import compositional, layered, ray_traced, scatter, signed_defocus, to_linear, to_srgb


class Baseline(BokehModel):
    """A method without weights and stages: ``test``, ``predict`` and ``render`` work at once, ``fit`` refuses.

    Args:
        aperture_share: the aperture where none is given, as a share (0 or more) of the photo's long side; the default
            is that of the synthetic scenes.
    """

    trainable: ClassVar[bool] = False

    def __init__(self, aperture_share: float = 0.025) -> None:
        super().__init__()
        check_options("--model.", ("aperture_share", aperture_share, aperture_share >= 0, "0 or more"))
        self.aperture_share = aperture_share


class Identity(Baseline):
    """The photo as it is: the score that every method has to beat."""

    title = "Identity"
    paper = "none: the photo handed back"
    uses = Uses(False, False, "ignored", note="Identity returns the photo as it is.")

    def blur(self, image: Tensor, disparity: None, focus: None, aperture: None) -> Tensor:
        """A copy of ``image``."""
        return image.clamp(0, 1)

    def source_of(self, prepared: Prepared) -> str:
        """Nothing was used."""
        return "unchanged"


class DisparityRenderer(Baseline, ABC):
    """Renders in linear light with the disparity given; a subclass says how light spreads."""

    @abstractmethod
    def spread(self, light: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
        """Shallow depth of field in linear light, B 3 H W as ``light``.

        ``disparity`` is B 1 H W in [0, 1], ``focus`` B (the disparity in focus), ``aperture`` B in pixels.
        """

    def blur(self, image: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
        """:meth:`spread` of gamma-encoded pictures."""
        return to_srgb(self.spread(to_linear(image), disparity, focus, aperture))


class Compositional(DisparityRenderer):
    """Blurred with fixed disks, blended per pixel: :func:`bokehbench.optics.compositional`.

    Args:
        aperture_share: see :class:`Baseline`.
        step: pixels between the radii of the disks, more than 0.
    """

    title = "Compositional"
    paper = "the renderer of Srinivasan et al., CVPR 2018, arXiv 1711.07933, with the disparity map's own radii"

    def __init__(self, aperture_share: float = 0.025, step: float = 1.0) -> None:
        super().__init__(aperture_share)
        check_options("--model.", ("step", step, step > 0, "more than 0"))
        self.step = step

    def spread(self, light: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
        return compositional(light, disparity, focus, aperture, step=self.step)


class Layered(DisparityRenderer):
    """Planes of disparity, blurred and composited from far to near: :func:`bokehbench.optics.layered`.

    Args:
        aperture_share: see :class:`Baseline`.
        layers: planes of disparity, 1 or more, equally spaced over [0, 1].
    """

    title = "Layered"
    paper = "the formula of Peng et al., MPIB, ECCV 2022, arXiv 2207.08403, with planes from the disparity map"

    def __init__(self, aperture_share: float = 0.025, layers: int = 32) -> None:
        super().__init__(aperture_share)
        check_options("--model.", ("layers", layers, layers >= 1, "1 or more"))
        self.layers = layers

    def spread(self, light: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
        # Half a plane of margin, or the plane in focus itself would be blurred by half a plane's disparity
        return layered(light, disparity, focus, aperture, layers=self.layers, margin=0.5 / self.layers)


class RayTraced(DisparityRenderer):
    """Rays through a lens into the photo's own relief, approximately: :func:`bokehbench.optics.ray_traced`.

    Args:
        aperture_share: see :class:`Baseline`.
        rays: lens points per pixel, 1 or more.
    """

    title = "Ray traced"
    paper = "the idea of Yang et al., Virtual DSLR, Electronic Imaging 2016; their code is not available"

    def __init__(self, aperture_share: float = 0.025, rays: int = 64) -> None:
        super().__init__(aperture_share)
        check_options("--model.", ("rays", rays, rays >= 1, "1 or more"))
        self.rays = rays

    def spread(self, light: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
        return ray_traced(light, disparity, focus, aperture, rays=self.rays)


class Scatter(DisparityRenderer):
    """Every pixel spread over its own circle of confusion, BokehMe's classical: :func:`bokehbench.optics.scatter`."""

    title = "Scatter"
    paper = "the classical renderer of Peng et al., BokehMe, CVPR 2022, arXiv 2206.12614"

    def spread(self, light: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
        return scatter(light, signed_defocus(disparity, focus, aperture))
