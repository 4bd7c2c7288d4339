"""Text whose shape is a Jinja template beside the code that fills it: pages, tables for LaTeX, scripts."""

from typing import Any


def filled(room: str, name: str, html: bool = False, **known: Any) -> str:
    """``bokehbench/ROOM/templates/NAME.j2``, filled with what is ``known``, without line breaks at its end.

    A name that a template uses and nobody gives is an error. ``html``: what is filled in comes from files or users, and
    is escaped.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined  # here, as only the verbs that write need it

    shapes = Environment(
        loader=PackageLoader(f"bokehbench.{room}"), autoescape=html, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    return shapes.get_template(f"{name}.j2").render(known).rstrip("\n")
