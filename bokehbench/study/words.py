"""What raters read unless the organiser writes something else."""

from importlib import resources

ASSETS = resources.files("bokehbench.study") / "assets"


def paragraphs(text: str) -> tuple[str, ...]:
    """Plain text to paragraphs: blank lines part them."""
    parts = text.replace("\r\n", "\n").split("\n\n")
    return tuple(" ".join(part.split()) for part in parts if part.strip())


TITLE = "Which photo looks better?"
QUESTION = "Which photo has the better background blur?"
INSTRUCTIONS, CONSENT = (
    paragraphs((ASSETS / f"{name}.txt").read_text(encoding="utf-8")) for name in ("instructions", "consent")
)
