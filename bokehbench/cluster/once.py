"""What takes long to make, made once in each process that works on items."""

import threading
import uuid
from collections.abc import Callable
from typing import Any, Generic, TypeVar

Made = TypeVar("Made")
#: Things that a process keeps; the oldest goes first.
KEPT = 2
_KEPT: dict[str, Any] = {}
_LOCK = threading.RLock()


class Once(Generic[Made]):
    """``Once(make, *arguments)()`` is ``make(*arguments)``, made at the first call in each process.

    A copy in another process makes its own: ``make`` and ``arguments`` travel, what they made does not.
    """

    def __init__(self, make: Callable[..., Made], *arguments: Any, key: str = "") -> None:
        self.make, self.arguments, self.key = make, arguments, key or uuid.uuid4().hex

    def __call__(self) -> Made:
        """What was made."""
        with _LOCK:  # a worker of Dask may have several threads
            if self.key not in _KEPT:
                _KEPT[self.key] = self.make(*self.arguments)
                for old in list(_KEPT)[:-KEPT]:
                    del _KEPT[old]
            made: Made = _KEPT[self.key]
            return made
