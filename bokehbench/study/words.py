"""What raters read unless the organiser writes something else."""

TITLE = "Which photo looks better?"
QUESTION = "Which photo has the better background blur?"
INSTRUCTIONS = (
    "You will see an original photo and two versions of it whose background was blurred by a computer, as a camera "
    "with a large lens would do.",
    "Look at the blur itself, at the edges of what is sharp, and at anything that seems wrong. Then choose the version "
    "that you would rather have taken. There are no right or wrong answers; if you see no difference that matters, say "
    "'no preference'.",
    "Please use a computer rather than a phone, in a room without glare, and take your time: most people need less "
    "than ten minutes. You can close the page and go on later in the same browser. A few pairs only check attention.",
)
CONSENT = (
    "Taking part is voluntary, and you may stop at any moment by closing the page.",
    "Your answers stay in this browser until you hand them in yourself at the end. The file holds your choices, how "
    "long each took, how often you enlarged a photo or took an answer back, the size of your browser window, when you "
    "began and ended, and a random number in place of your name: nothing else about you or your computer.",
)


def paragraphs(text: str) -> tuple[str, ...]:
    """Plain text to paragraphs: blank lines part them."""
    parts = text.replace("\r\n", "\n").split("\n\n")
    return tuple(" ".join(part.split()) for part in parts if part.strip())
