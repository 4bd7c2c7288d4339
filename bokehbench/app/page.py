"""The page: controls and what they start. All that renders waits in one line, so people share one model."""

import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from bokehbench.app.intake import by_name
from bokehbench.app.marker import marked
from bokehbench.app.open_photo import OpenPhoto
from bokehbench.app.refocuser import LARGEST_SHARE, USUAL_SHARE, Refocuser
from bokehbench.errors import BokehbenchError

START = "Drop a photo to begin."
FORMATS = {"PNG (no loss)": ".png", "JPEG": ".jpg"}
#: Heights: of photo and result, which a laptop's window shows with the controls below them, and of a field to drop on.
TALL, SLIM = "52vh", 120
CSS = """
.html-container {padding: 0 4px !important;} .html-container * {margin: 0 !important;}
.head small {font-weight: normal; padding-left: 8px;}
.said {font-size: 1.05em; overflow-wrap: anywhere;} .said .problem {color: #c0392b; font-weight: 600;}
.banner {border-left: 4px solid #d68910; padding: 2px 12px;}
.column:has(> .block .label) {gap: 4px;}
#photo img, #disparity img {cursor: crosshair;}
footer {display: none !important;}
"""
QUEUE: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "model", "api_visibility": "private"}


class Page:
    """Builds the page and answers its events.

    Args:
        refocuser: what renders.
        title: one line of what runs: method and weights.
        banner: what a user must know before trusting a picture; empty = nothing.
    """

    def __init__(self, refocuser: Refocuser, title: str, banner: str = "") -> None:
        self.refocuser, self.title = refocuser, title
        self.banner = " ".join(part for part in (banner, refocuser.uses.note) if part)

    def build(self) -> gr.Blocks:
        """The blocks, ready for :func:`bokehbench.app.server.serve`."""
        can, predicts = self.refocuser.uses, self.refocuser.depth.makes_maps
        # Uploads are copied to their session: ten minutes are plenty for Gradio's own
        with gr.Blocks(title="bokehbench refocus", analytics_enabled=False, delete_cache=(300, 600)) as blocks:
            state = gr.State(None)
            gr.HTML(f"<h2 class='head'>Refocus <small>{html.escape(self.title)}</small></h2>")
            if self.banner:
                gr.HTML(f"<p class='banner' role='note'>{html.escape(self.banner)}</p>")
            with gr.Row():
                photo = _picture("Photo: click where to focus" if can.focus else "Photo", "photo")
                result = _picture("Result", "result")
            said = gr.HTML(say(START), elem_id="said")
            # Without bounds: Gradio would show an error while a number is typed; take() keeps it inside the photo
            with gr.Row(visible=can.aperture or can.focus):
                aperture = gr.Slider(
                    0, 100, 0, step=0.5, label="Aperture: blur radius in pixels of the photo", elem_id="aperture",
                    info=f"where {'the disparity is 1 away from the focus' if can.focus else 'its own defocus is 1'}",
                    visible=can.aperture, buttons=[], scale=2, min_width=300,
                )  # fmt: skip
                where: dict[str, Any] = {"precision": 0, "step": 10, "visible": can.focus, "min_width": 150}
                across, down = (
                    gr.Number(label=f"Focus: pixels of the photo from {edge}", elem_id=name, **where)
                    for edge, name in (("the left", "focus-x"), ("the top", "focus-y"))
                )
            with gr.Row():
                drop = gr.File(label="Photo", height=SLIM, elem_id="drop")
                needs = "for the focus" if can.disparity == "optional" else "optional" if predicts else "needed"
                drop_map = gr.File(
                    label=f"Disparity map, bright = near ({needs})", height=SLIM, elem_id="drop-map",
                    visible=can.disparity != "ignored",
                )  # fmt: skip
                with gr.Column():
                    kind = gr.Radio(list(FORMATS), value="PNG (no loss)", label="Save as", elem_id="format")
                    save = gr.Button("Render at full size", variant="primary", interactive=False, elem_id="save")
                    download = gr.DownloadButton("Download", visible=False, elem_id="download")
            with gr.Column(visible=can.disparity != "ignored"):
                disparity = _picture("Disparity (bright = near)", "disparity", height=280)
                own_map = gr.Button("Back to the predicted disparity", visible=False, elem_id="own-map")
            looks = [said, photo, disparity, result, download, across, down]
            everything = [state, *looks, aperture, save, own_map, drop, drop_map]
            shown: dict[str, Any] = {"inputs": [state, aperture], "outputs": [said, result, download], **QUEUE}
            finished = {"fn": self.finish, **shown}
            drop.upload(self.open, [drop, state], everything, **QUEUE).then(**finished)
            drop_map.upload(self.give_map, [drop_map, state, aperture], everything, **QUEUE).then(**finished)
            own_map.click(self.use_own_map, [state, aperture], everything, **QUEUE).then(**finished)
            if can.focus:
                for picture in (photo, disparity):
                    clicked = picture.select(self.click, [state, aperture], looks, show_progress="hidden", **QUEUE)
                    clicked.then(**finished, show_progress="hidden")
                for number in (across, down):
                    typed = number.input(
                        self.typed, [state, aperture, across, down], looks[:-2],
                        show_progress="hidden", trigger_mode="always_last", **QUEUE,
                    )  # fmt: skip
                    typed.then(**finished, show_progress="hidden")
            aperture.input(self.quick, **shown, show_progress="hidden", trigger_mode="always_last")
            aperture.release(**finished, show_progress="hidden")
            save.click(self.save, [state, aperture, kind], [said, download], **QUEUE)
        return blocks

    # Events ----------------------------------------------------------------------------------------------------

    def open(self, upload: str, state: OpenPhoto | None) -> list[Any]:
        """A photo was dropped; a bad one leaves the earlier photo as it was."""
        return self._changed(lambda: self.refocuser.open(Path(upload)), Path(upload), None, new=True)

    def give_map(self, upload: str, state: OpenPhoto | None, aperture: float) -> list[Any]:
        """A disparity map was dropped."""

        def take() -> OpenPhoto:
            if state is None:
                raise BokehbenchError("Drop the photo first, then its disparity map.")
            return self.refocuser.give_map(state, Path(upload))

        return self._changed(take, Path(upload), aperture)

    def use_own_map(self, state: OpenPhoto, aperture: float) -> list[Any]:
        """The method's own disparity again."""
        return self._changed(lambda: self.refocuser.use_own_map(state), state.path, aperture)

    def _changed(
        self, act: Callable[[], OpenPhoto], upload: Path, aperture: float | None, new: bool = False
    ) -> list[Any]:
        """All outputs after ``act``; where it refuses, only what is said, and empty places to drop a file."""
        same = [gr.skip()] * 9
        try:
            photo = act()
            slider: Any = gr.skip()
            if new:
                side = max(photo.size)
                aperture, largest = round(side * USUAL_SHARE * 2) / 2, float(round(side * LARGEST_SHARE))
                slider = gr.update(maximum=largest, value=aperture)
            looks = self._look(photo, aperture)
        except BokehbenchError as error:
            return [gr.skip(), say(str(by_name(error, upload)), problem=True), *same, None, None]
        ready = gr.update(interactive=not self.refocuser.missing(photo))
        back = gr.update(visible=photo.given and self.refocuser.depth.makes_maps)
        return [photo, *looks, *self._focus(photo), slider, ready, back, None, None]

    def click(self, state: OpenPhoto | None, aperture: float, event: gr.SelectData) -> list[Any]:
        """The focus was chosen; ``event.index`` is (column, row) in pixels of what is shown."""
        if state is None:
            return [gr.skip()] * 7
        column, row = event.index
        state.take(column, row)
        return [*self._look(state, aperture), *self._focus(state)]

    def typed(self, state: OpenPhoto | None, aperture: float, across: float | None, down: float | None) -> list[Any]:
        """The focus without a mouse, in pixels of the photo; an empty field waits for its number."""
        if state is None or across is None or down is None:
            return [gr.skip()] * 5
        state.take(across * state.scale, down * state.scale)
        return self._look(state, aperture)

    def _focus(self, photo: OpenPhoto) -> list[int]:
        """What the number fields show: the point in pixels of the photo."""
        return [round(value / photo.scale) for value in photo.point]

    def _look(self, photo: OpenPhoto, aperture: float | None) -> list[Any]:
        """What is said, photo, disparity and result (quick), and no download of an earlier setting."""
        point = photo.point if self.refocuser.focus(photo) is not None else None
        disparity = None if photo.disparity is None else marked(photo.disparity, point)
        said, result, download = self.quick(photo, aperture)
        if self.refocuser.missing(photo):
            result = None
        return [said, marked(photo.image, point), disparity, result, download]

    def quick(self, state: OpenPhoto | None, aperture: float | None) -> list[Any]:
        """The slider moves."""
        return self._rendered(self.refocuser.quick, state, aperture)

    def finish(self, state: OpenPhoto | None, aperture: float | None) -> list[Any]:
        """The slider was let go, or a preview is there and may become better."""
        if state is None or self.refocuser.missing(state):  # said before: a refusal must not be talked over
            return [gr.skip()] * 3
        return self._rendered(self.refocuser.finish, state, aperture)

    def _rendered(self, render: Callable[..., Any], state: OpenPhoto | None, aperture: float | None) -> list[Any]:
        if state is None:
            return [gr.skip()] * 3
        if missing := self.refocuser.missing(state):
            return [say(missing), gr.skip(), gr.skip()]
        try:
            result = render(state, aperture)
        except BokehbenchError as error:
            return [say(str(by_name(error, state.path)), problem=True), gr.skip(), gr.skip()]
        if result is None:
            return [gr.skip()] * 3
        return [say(self.describe(state, aperture)), marked(result), gr.update(visible=False)]

    def save(self, state: OpenPhoto | None, aperture: float, kind: str) -> list[Any]:
        """Render the photo's own pixels and offer the file."""
        if state is None:
            return [say(START), gr.skip()]
        try:
            path = self.refocuser.save(state, aperture, FORMATS[kind])
        except BokehbenchError as error:
            return [say(str(by_name(error, state.path)), problem=True), gr.update(visible=False)]
        height, width = state.size
        button = gr.update(value=str(path), label=f"Download {path.name} ({width} x {height})", visible=True)
        return [say(f"{self.describe(state, aperture)} Rendered at full size."), button]

    def describe(self, photo: OpenPhoto, aperture: float | None) -> str:
        """Name and size of the photo, and the settings in use."""
        height, width = photo.size
        parts = [f"{photo.path.name}, {width} x {height}"]
        focus = self.refocuser.focus(photo)
        if focus is not None:
            parts.append(f"focus at disparity {focus:.3f}")
        if self.refocuser.uses.aperture and aperture is not None:
            parts.append(f"aperture {aperture:.1f} px = {100 * aperture / max(photo.size):.2f} % of the long side")
        source = [photo.source if photo.given else f"depth of {photo.source}"] if photo.source else []
        return "; ".join([*parts, *source, *photo.notes]) + "."


def say(text: str, problem: bool = False) -> str:
    """A sentence as HTML; file names in it may hold anything."""
    kind, role = ("problem", "alert") if problem else ("", "status")
    return f"<p class='said'><span class='{kind}' role='{role}'>{html.escape(text)}</span></p>"


def _picture(label: str, name: str, height: int | str = TALL) -> gr.Image:
    """A picture under its label: Gradio's own label would cover the corner that may be clicked."""
    with gr.Column(min_width=300):
        gr.HTML(f"<p class='label'>{html.escape(label)}</p>")
        return gr.Image(
            label=label, show_label=False, elem_id=name, interactive=False, height=height, format="jpeg",
            buttons=["fullscreen"],
        )  # fmt: skip
