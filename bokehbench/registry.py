"""Short names of classes: what there is can be listed without importing any of it."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, TypeVar

from bokehbench.errors import BokehbenchError, nearest

Kind = TypeVar("Kind")


class Registry(Mapping[str, type[Kind]]):
    """Class names in lower case -> classes, each imported when it is first looked up; upper case is understood.

    Args:
        what: is registered, for errors.
        places: class name -> module.
    """

    def __init__(self, what: str, places: Mapping[str, str]) -> None:
        self.what, self.places = what, dict(places)
        self._names = {name.lower(): name for name in places}

    def __getitem__(self, name: str) -> type[Kind]:
        if name.lower() not in self._names:
            raise BokehbenchError(f"There is no {self.what} '{name}'; {nearest(name, self)}.")
        found: type[Kind] = self.named(self._names[name.lower()])
        return found

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def get(self, name: str, default: Any = None) -> Any:
        """The class, or ``default`` where there is none."""
        return self[name] if name in self else default  # noqa: SIM401

    def named(self, class_name: str) -> Any:
        """The class of exactly that name, for a module's ``__getattr__``."""
        if class_name not in self.places:
            raise AttributeError(f"there is no {self.what} {class_name}")
        return getattr(import_module(self.places[class_name]), class_name)
