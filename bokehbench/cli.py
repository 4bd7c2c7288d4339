"""``bokehbench``: finds the verb, imports only what that verb needs (``--help`` starts without torch)."""

import os
import sys
from itertools import pairwise

from bokehbench import __version__
from bokehbench.errors import BokehbenchError
from bokehbench.files import REMEDY
from bokehbench.ranks import is_first
from bokehbench.refusals import refusal, show_where
from bokehbench.status_file import end_with_parent, watched, write_status
from bokehbench.stopping import Stopped, stoppable
from bokehbench.verbs import VERBS, about, run

USAGE = "usage: bokehbench VERB [options]\n\nBokeh rendering from a single photo.\n\nverbs:"
EPILOGUE = """
start here:
  bokehbench fit --model deeplens                     train on synthetic scenes, nothing to download
  bokehbench render PHOTO --model deeplens -o OUT     give a photo shallow depth of field

`bokehbench VERB --help` lists a verb's options; `fit --model deeplens --print_config` shows every setting."""


def main(argv: list[str] | None = None) -> int:
    """Run one verb; errors that the user can fix become one sentence and exit status 2."""
    argv = sys.argv[1:] if argv is None else list(argv)
    if not argv or argv[0] in ("-h", "--help", "help"):
        verbs = "\n".join(f"  {verb:<16}{about(verb)}" for verb in VERBS)
        print(f"{USAGE}\n{verbs}\n{EPILOGUE}")
        return 0
    if argv[0] in ("-V", "--version", "version"):
        print(f"bokehbench {__version__}")
        return 0
    if watched():
        end_with_parent()
    try:
        _refuse_empty(argv)
        with stoppable():
            status = run(argv)
        write_status(ended=status, share=1.0, what="")
        return status
    except BokehbenchError as error:
        return _ended(str(error), error)
    except Stopped as stop:
        write_status(failed=str(stop))
        if is_first():
            print(f"\nbokehbench: {stop}", file=sys.stderr)
        return 128 + stop.number
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # `| head` has read enough: say no more at exit
        return 1
    except Exception as error:
        if said := refusal(error):
            return _ended(f"{argv[0]}: {said}.", error)
        if isinstance(error, OSError) and error.errno:  # a disk or a place, of whatever a library was about to write
            return _ended(f"{error.filename or 'A file'}: {error.strerror}: {REMEDY}.", error)
        write_status(failed=f"{type(error).__name__}: {error}")
        raise


def _ended(sentence: str, error: Exception) -> int:
    """Say why the verb ended, and return the exit status."""
    write_status(failed=sentence)
    show_where(error)
    print(f"bokehbench: {sentence}", file=sys.stderr)
    return 2


def _refuse_empty(argv: list[str]) -> None:
    """Raise BokehbenchError for an option whose value, or a file whose name, is empty: it would be taken for ``.``."""
    for before, word in pairwise(argv):
        option, equals, value = word.partition("=")
        if not word or (word.startswith("-") and equals and not value):
            raise BokehbenchError(f"{option or before}: an empty value was given; give one, or leave the option out.")
