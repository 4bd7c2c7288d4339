"""The part of a method that makes pictures."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from bokehbench.batch import Batch, known
from bokehbench.errors import BokehbenchError
from bokehbench.models.doors import guarded
from bokehbench.models.exported import Exported
from bokehbench.models.recorded import Recorded
from bokehbench.models.rendering import Prepared, Rendering, in_words
from bokehbench.models.uses import Uses

#: One number for all pictures, or B of them; None = the method's default.
PerPicture = Tensor | float | None
#: Where to focus: a disparity, or a point (x, y) in pixels of the photo.
Focus = PerPicture | tuple[float, float]


class Renders(Recorded):
    """From a photo to a :class:`Rendering`: a method says what it :attr:`uses` and how it blurs (:meth:`blur`)."""

    #: What it obeys of focus, aperture and disparity; a constructor may set it by its arguments.
    uses: Uses = Uses()
    #: What :meth:`render` is given of a batch besides picture and names, where the batch has it.
    rendered_with: tuple[str, ...] = ("disparity", "focus", "aperture", "mask")
    #: What adds to :meth:`no_disparity`: another way out.
    without_disparity: ClassVar[str] = ""
    #: The default aperture as a share of the photo's long side, see :meth:`default_aperture`.
    aperture_share: float = 0.025

    def __init_subclass__(cls, **more: Any) -> None:
        """One check at the door of all methods, whoever wrote them (:mod:`bokehbench.models.doors`)."""
        super().__init_subclass__(**more)
        guarded(cls)

    def blur(self, image: Tensor, disparity: Any, focus: Any, aperture: Any) -> Tensor:
        """Shallow depth of field: what a method must write, unless it has its own :meth:`prepare` and :meth:`refocus`.

        Args:
            image: B 3 H W in [0, 1], any H and W.
            disparity: B 1 H W in [0, 1], 1 = nearest; None where the method has none.
            focus: B, disparity in focus; None where it is not obeyed.
            aperture: B, blur radius in pixels of ``image`` at a disparity difference of 1; None where it is not obeyed.

        A method that uses a mask takes ``mask``, B 1 H W or None, besides.

        Returns:
            B 3 H W in [0, 1].
        """
        raise NotImplementedError(f"{type(self).__name__} must say how it renders")

    @classmethod
    def lacks(cls) -> str:
        """What a subclass has yet to write; empty = nothing."""
        return "blur" if cls.blur is Renders.blur and cls.refocus is Renders.refocus else ""

    def disparity(self, image: Tensor, names: list[str] | None = None) -> Tensor | None:
        """What the method itself takes for the disparity: of every method that :attr:`uses` its ``own``.

        Args:
            image: B 3 H W in [0, 1].
            names: B file stems, where they are known.

        Returns:
            B 1 H W in [0, 1], 1 = nearest; None where it only uses what it is given.
        """
        return None

    def exported(self, size: int, largest_aperture: float) -> Exported:
        """What ``bokehbench export`` writes: here :meth:`blur` as it is, which must then look at no value and no size.

        Args:
            size: long side of the photos that the file is for, in pixels; other sizes must work as well.
            largest_aperture: in pixels of the photo.

        Raises:
            BokehbenchError: it cannot be exported; says why.
        """
        if self.of_command or type(self).refocus is not Renders.refocus:
            why = "it is a command of others" if self.of_command else "its refocus() is more than a blur() of one photo"
            raise BokehbenchError(f"{self.label} cannot be exported: {why}, which no file can hold.")
        return Exported(self.blur, [self], self.uses, largest_aperture)

    # Rendering -------------------------------------------------------------------------------------------------

    def render(
        self,
        image: Tensor,
        *,
        disparity: Tensor | None = None,
        focus: Focus = None,
        aperture: PerPicture = None,
        **more: Any,
    ) -> Rendering:
        """Shallow depth of field: the one inference call of test, predict, render, score and report; no gradient.

        The same photo again, with another focus or aperture: :meth:`prepare` once, then :meth:`refocus`.

        Args:
            image: B 3 H W in [0, 1], any H and W.
            disparity: B 1 H W in [0, 1], 1 = nearest, or None: the method's own.
            focus: disparity in focus (B or a number), or a point (x, y) of the photo; None: the method's default.
            aperture: blur radius in pixels of ``image`` at a disparity difference of 1, B or a number; None: default.
            more: what else :meth:`prepare` takes.

        Raises:
            BokehbenchError: the method needs a disparity map and there is none, the focus point is outside, a value is
                not finite or out of its range (aperture: 0 to half the photo's long side), or the output is not finite.
        """
        if self.training and self.trainable:
            raise RuntimeError("render() needs evaluation mode: call model.eval() first")
        return self.refocus(self.prepare(image, disparity, **more), focus, aperture)

    @torch.no_grad()
    def prepare(
        self,
        image: Tensor,
        disparity: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        names: list[str] | None = None,
    ) -> Any:
        """What of a photo does not depend on focus and aperture, for :meth:`refocus`: here the disparity.

        Args:
            image, disparity: as :meth:`render`; a given map takes the place of the method's own.
            mask: B 1 H W in [0, 1], 1 = subject, for methods that look at it.
            names: B file stems, for methods that look something up by them.
        """
        given = disparity is not None
        if self.uses.disparity == "ignored":
            disparity = None
        elif self.uses.disparity == "own" and disparity is None:
            disparity = self.disparity(image, names)
        if self.uses.disparity == "needed" and disparity is None and not (self.uses.mask and mask is not None):
            raise self.no_disparity(" and no mask of what is in focus" if self.uses.mask else "")
        return Prepared(image, disparity, given, mask)

    @torch.no_grad()
    def refocus(
        self, prepared: Any, focus: Focus = None, aperture: PerPicture = None, preview: bool = False
    ) -> Rendering:
        """Render a photo as it was prepared.

        Args:
            prepared: from :meth:`prepare` of this method with these weights.
            focus, aperture: as :meth:`render`.
            preview: a quick one, perhaps smaller than the photo, of methods that have it (:attr:`uses`).
        """
        image, disparity, uses = prepared.image, prepared.disparity, self.uses
        at = self.focus_of(image, disparity, focus) if uses.focus else None
        px = self.aperture_of(image, aperture) if uses.aperture else None
        mask: dict[str, Any] = {"mask": prepared.mask} if uses.mask else {}
        rendering = Rendering(self.blur(image, disparity, at, px, **mask), disparity, at, px)
        source = self.source_of(prepared)
        others = self.remark(rendering), self.ignored(prepared, focus, aperture)
        return replace(rendering, note=in_words(source, at, px, others))

    def source_of(self, prepared: Prepared) -> str:
        """Where the disparity comes from that a photo is rendered with, in words."""
        if prepared.source:
            return f"depth of {prepared.source}"
        if prepared.disparity is None and self.uses.disparity != "own":
            return "no disparity"
        return f"{'given' if prepared.given else 'own'} disparity"

    def ignored(self, prepared: Prepared, focus: Focus, aperture: PerPicture) -> str:
        """What was given and is not obeyed, in words; empty = nothing."""
        given = {
            "disparity": prepared.given and prepared.disparity is None,
            "focus": focus is not None and not self.uses.focus,
            "aperture": aperture is not None and not self.uses.aperture,
        }
        names = [name for name, ignored in given.items() if ignored]
        return f"{' and '.join(names)} ignored" if names else ""

    def remark(self, rendering: Rendering) -> str:
        """What else people should know of a rendering; empty = nothing."""
        return ""

    def focus_of(self, image: Tensor, disparity: Tensor | None, focus: Focus) -> Tensor | None:
        """The disparity in focus, B, with the map that is rendered with; None where there is none to look it up in."""
        return None if disparity is None else self.focus_disparity(disparity, focus, image.shape)

    @staticmethod
    def per_image(value: Tensor | float, image: Tensor) -> Tensor:
        """A number or B values as B values on the device of ``image``."""
        return torch.as_tensor(value, dtype=torch.float32, device=image.device).reshape(-1).expand(len(image))

    @classmethod
    def focus_disparity(cls, disparity: Tensor, focus: Focus, shape: Sequence[int]) -> Tensor:
        """The disparity in focus, shape B.

        Args:
            disparity: B 1 h w, of the photo at any size.
            focus: as :meth:`render`; a point is looked up at one pixel, as in the papers; None = the centre.
            shape: of the photo that a point's coordinates refer to, ending with height and width.

        Raises:
            BokehbenchError: the point lies outside the photo.
        """
        height, width = shape[-2:]
        if focus is None:
            focus = (width / 2, height / 2)
        if not isinstance(focus, tuple):
            return cls.per_image(focus, disparity)
        x, y = focus
        if not (0 <= x <= width and 0 <= y <= height):
            raise BokehbenchError(f"The focus point {x:g},{y:g} is outside the photo of {width} x {height} pixels.")
        rows, columns = disparity.shape[-2:]
        row, column = min(int(y * rows / height), rows - 1), min(int(x * columns / width), columns - 1)
        return disparity[:, 0, row, column]

    def default_aperture(self, image: Tensor) -> float:
        """The aperture of :meth:`render` where none is given, in pixels of ``image``."""
        return self.aperture_share * max(image.shape[-2:])

    def aperture_of(self, image: Tensor, aperture: PerPicture) -> Tensor:
        """The aperture given or the default one, B values in pixels of ``image``."""
        return self.per_image(self.default_aperture(image) if aperture is None else aperture, image)

    def no_disparity(self, where: str = "") -> BokehbenchError:
        """The error of a photo without a disparity map; ``where`` and :attr:`without_disparity` add to the sentence."""
        return BokehbenchError(
            f"{self.label} has no depth network of its own and was given no disparity map{where}: "
            f"give one with --disparity, or use a data set that has it{self.without_disparity}."
        )

    def render_batch(self, batch: Batch) -> Rendering:
        """:meth:`render` with what the batch has of :attr:`rendered_with`."""
        return self.render(batch["image"], names=batch.get("name"), **self.given(batch))

    def given(self, batch: Batch) -> dict[str, Any]:
        """What the batch has, for all of its pictures, of :attr:`rendered_with`."""
        return {key: value for key, value in batch.items() if key in self.rendered_with and known(batch, key).all()}


guarded(Renders)
