"""What torch, Lightning and the system refuse, as sentences; ``BOKEHBENCH_DEBUG=1`` shows where. Plain Python."""

import errno
import os
import re
import traceback
from collections.abc import Iterable

from bokehbench.errors import BokehbenchError

#: Torch's errors about other processes of the same training, on this or another machine; gloo's have no type.
PEER_KINDS = {"DistError", "DistNetworkError", "DistBackendError", "DistStoreError"}
#: What to say for messages of torch and of the system that are no fault of this package.
KNOWN = (
    (
        r"out of memory|not enough memory|can't allocate|Unable to allocate|allocate memory|Invalid buffer size|"
        r"[Ss]torage size calculation overflowed|numel: integer multiplication overflow",
        "there is not enough memory: give smaller pictures or crops, a smaller batch_size or net, or another device",
    ),
    (
        r"NVIDIA driver|not compiled with CUDA|No CUDA GPUs|CUDA-capable device|invalid device ordinal|no kernel image|"
        r"[Dd]evice string|Torch not compiled",
        "the device cannot be used: give another one, such as cpu; `bokehbench doctor` lists them",
    ),
)


def refusal(error: BaseException) -> str | None:
    """What to tell of an error of torch, Lightning or the system; None: it is of another kind."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return KNOWN[0][1]
    if peer_lost(error):
        why = re.sub(r"^\[.*?\] ", "", first_line(error)).partition(". ")[0]
        return f"another of the processes ended or cannot be reached ({why}): read what it said, and start all again"
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & {"RuntimeError", "AssertionError", "OutOfMemoryError"}:
        said = next((words for pattern, words in KNOWN if re.search(pattern, str(error))), None)
        if said:
            return f"{said} ({first_line(error)})"
    return first_line(error) if "MisconfigurationException" in kinds else None


def peer_lost(error: BaseException) -> bool:
    """Whether another process of a training is gone."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return bool(kinds & PEER_KINDS) or ("RuntimeError" in kinds and "/gloo/" in str(error))


def refused(error: Exception, typed: Iterable[str] = ()) -> BokehbenchError:
    """The sentence for an error that typed options caused.

    Args:
        error: of whatever was made from them.
        typed: options, ``--trainer.devices``; those that the message mentions are named, else all.
    """
    chain: list[BaseException] = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None and cause not in chain:
        chain.append(cause)
    for each in chain:
        if isinstance(each, BokehbenchError):
            return BokehbenchError(str(each))
    said = next((words for each in chain if (words := refusal(each))), None) or first_line(error)
    options = list(dict.fromkeys(typed))
    named = [option for option in options if re.search(rf"\b{re.escape(option.split('.')[-1])}\b", said)] or options
    return BokehbenchError(f"{', '.join(named)}: {said}." if named else f"{said}.")


def first_line(error: BaseException) -> str:
    """The first line of a message that says something, without its full stop."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:400].rstrip(".: ")


def unparsed(error: Exception) -> str:
    """What jsonargparse refuses, in one sentence: the option, its value, and what was expected."""
    text = str(error)
    keys = re.findall(r'[Pp]arser key "([^"]+)"', text)
    given = re.search(r"Given value: (?:NestedArg\(key='([^']*)', val=(.*)\)|(.*))\s*$", text, re.MULTILINE)
    wanted = re.findall(r"(?:Expected an? |Option ).*|Key .*|Not a .*|Problem .*|Import path .*", text)
    wanted = [each for each in wanted if "NoneType" not in each and not each.endswith(":")]
    if not (keys and wanted):
        return first_line(error)
    option = ".".join([keys[0], given[1]] if given and given[1] else dict.fromkeys(keys))
    value = (given[2] or given[3] or "") if given else ""
    said = re.sub(r"<class '([\w.]+)'>|typing\.", r"\1", "; ".join(dict.fromkeys(wanted)))
    return f"--{option} {value[:60]}: {said[:300]}".rstrip(".")


def show_where(error: BaseException) -> None:
    """Print the stack trace where ``BOKEHBENCH_DEBUG=1`` asks for it."""
    if os.environ.get("BOKEHBENCH_DEBUG") == "1":
        traceback.print_exception(error)
