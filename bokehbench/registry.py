"""Names of methods, data sets, columns and verbs: ours, and those of packages that are installed beside ours.

A package registers its own by entry points of the groups ``bokehbench.models``, ``bokehbench.data``,
``bokehbench.columns`` and ``bokehbench.verbs``. Names are listed without importing what they stand for. Starts without
torch.
"""

import functools
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from operator import attrgetter
from typing import Any, TypeVar

from bokehbench.errors import BokehbenchError, nearest

Thing = TypeVar("Thing")
Kind = TypeVar("Kind")
#: The package and the distribution that this is.
OURS = "bokehbench"


@dataclass(frozen=True)
class Offer:
    """Something that is registered and not yet imported.

    Attributes:
        name: short name, in lower case.
        value: ``MODULE:ATTRIBUTE``, or ``MODULE``.
        distribution, version: of the package that has it.
    """

    name: str
    value: str
    distribution: str
    version: str = ""

    @property
    def owner(self) -> str:
        """``mypkg 1.0``."""
        return f"{self.distribution} {self.version}".strip()

    @property
    def package(self) -> str:
        """The importable package that it lies in."""
        return self.value.partition(":")[0].partition(".")[0]

    @property
    def attribute(self) -> str:
        """``MyMethod`` of ``mypkg.module:MyMethod``; empty for a module."""
        return self.value.partition(":")[2]

    def load(self) -> Any:
        """Import it."""
        module = import_module(self.value.partition(":")[0])
        return attrgetter(self.attribute)(module) if self.attribute else module

    def stands_for(self, thing: Any) -> bool:
        """Whether it is ``thing``, which is imported already; imports nothing."""
        module = sys.modules.get(self.value.partition(":")[0])
        return module is not None and vars(module).get(self.attribute) is thing


def installed(group: str) -> tuple[Offer, ...]:
    """The entry points of a group, in the order of their names."""
    return _entry_points(tuple(map(str, sys.path))).get(group, ())


def owner_of(package: str) -> Offer | None:
    """Any registration of an importable package: it knows the distribution, of an editable installation, too."""
    groups = _entry_points(tuple(map(str, sys.path))).values()
    return next((offer for offers in groups for offer in offers if offer.package == package), None)


@functools.lru_cache(maxsize=4)
def _entry_points(path: tuple[str, ...]) -> Mapping[str, tuple[Offer, ...]]:
    """Group -> its entry points; of ``path``, what ``sys.path`` is now."""
    from importlib.metadata import entry_points  # costs more than all the rest that `import bokehbench` does

    everything = entry_points()
    found = {}
    for group in everything.groups:
        if group.startswith(f"{OURS}."):
            offers = [
                Offer(each.name.lower(), each.value.partition("[")[0].strip(), each.dist.name, each.dist.version)
                for each in everything.select(group=group)
                if each.dist is not None
            ]
            found[group] = tuple(sorted(offers, key=lambda one: (one.name, one.owner)))
    return found


class Registry(Mapping[str, Thing]):
    """Short names -> what they stand for, imported when it is looked up; upper case is understood.

    Args:
        what: is registered, for errors.
        group: of entry points.
        ours: name -> ``MODULE:ATTRIBUTE`` or ``MODULE``.
        wrong: given what a package of others registered, what is wrong with it in words; empty = nothing.
    """

    def __init__(
        self, what: str, group: str, ours: Mapping[str, str] | None = None, wrong: Callable[[Any], str] | None = None
    ) -> None:
        self.what, self.group, self.wrong = what, group, wrong or (lambda found: "")
        self.ours = {name.lower(): Offer(name.lower(), value, OURS) for name, value in (ours or {}).items()}

    def offers(self) -> dict[str, list[Offer]]:
        """Short name -> all that have it; two are an error only where the name is used."""
        found = {name: [offer] for name, offer in self.ours.items()}
        for offer in installed(self.group):
            found.setdefault(offer.name, []).append(offer)
        return found

    def __getitem__(self, name: str) -> Thing:
        """What the short name stands for.

        Raises:
            BokehbenchError: there is no such name, two packages have it, or the one that has it does not load.
        """
        found = self.offers().get(name.lower(), [])
        if not found:
            raise BokehbenchError(f"There is no {self.what} '{name}'; {nearest(name, self)}.")
        if len(found) > 1:
            owners = " and of ".join(offer.owner for offer in found)
            raise BokehbenchError(f"There are {len(found)} {self.what}s '{name}', of {owners}: {self._remedy(found)}.")
        return self.load(found[0])

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self.offers()

    def __iter__(self) -> Iterator[str]:
        return iter(self.offers())

    def __len__(self) -> int:
        return len(self.offers())

    def get(self, name: str, default: Any = None) -> Any:
        """What the short name stands for, or ``default`` where there is no such name."""
        return self[name] if name in self else default  # noqa: SIM401

    def load(self, offer: Offer) -> Thing:
        """Import one; BokehbenchError where a package of others does not load, or offers something else."""
        if offer.distribution == OURS:
            return offer.load()
        try:
            found = offer.load()
            why = self.wrong(found)
        except Exception as error:  # whatever a package of somebody else raises
            why = f"does not load ({type(error).__name__}: {error})"
        if why:
            raise BokehbenchError(
                f"The {self.what} '{offer.name}' of {offer.owner} ({offer.value}) {why}: update or uninstall "
                f"{offer.distribution}."
            )
        return found

    def loaded(self) -> dict[str, Thing]:
        """All that can be loaded, by short name; :meth:`problems` names the others."""
        return {name: found for name, found in self._tried() if not isinstance(found, BokehbenchError)}

    def problems(self) -> list[str]:
        """One sentence for each short name that cannot be used."""
        return [str(found) for _, found in self._tried() if isinstance(found, BokehbenchError)]

    def _tried(self) -> Iterator[tuple[str, Thing | BokehbenchError]]:
        for name in self:
            try:
                yield name, self[name]
            except BokehbenchError as error:
                yield name, error

    def _remedy(self, offers: list[Offer]) -> str:
        return f"uninstall {' or '.join(offer.distribution for offer in offers if offer.distribution != OURS)}"


class Classes(Registry[type[Kind]]):
    """A registry of classes: those that nobody registered are found by their dotted names.

    **A name found in a file never causes an import**: :meth:`typed` is for what people type (the command line, and
    files that they name there as its continuation: configurations, suites, sweeps) and imports; :meth:`recorded` is for
    checkpoints, results and boards, which may be a stranger's.

    Args:
        what: is registered, for errors.
        group: of entry points.
        places: class name -> module; short names are class names in lower case.
        base: ``MODULE:CLASS`` that all are derived from.
        option: of the command line, ``--model``.
    """

    def __init__(self, what: str, group: str, places: Mapping[str, str], base: str, option: str) -> None:
        super().__init__(what, group, {name: f"{module}:{name}" for name, module in places.items()}, self._unfit)
        self.places, self.option = dict(places), option
        self._base = Offer("", base, OURS)

    @property
    def choices(self) -> str:
        """What may be typed, for ``--help`` and errors."""
        return f"{', '.join(sorted(self))}, or a class of your own, PACKAGE.CLASS"

    def named(self, class_name: str) -> Any:
        """The class of ours of exactly that name, for a module's ``__getattr__``."""
        if class_name not in self.places:
            raise AttributeError(f"there is no {self.what} {class_name}")
        return self.ours[class_name.lower()].load()

    def _unfit(self, found: Any) -> str:
        """Whether it is no class of this kind, or an unfinished one, in words."""
        base = self._base.load()
        if not (isinstance(found, type) and issubclass(found, base)):
            return f"is no {self.what}, a class derived from {class_path(base)}"
        lacking = sorted(getattr(found, "__abstractmethods__", ())) or [getattr(found, "lacks", str)()]
        return f"lacks {', '.join(lacking)}" if any(lacking) else ""

    def typed(self, name: str, where: str = "") -> type[Kind]:
        """The class of a short name, of ``mypkg.MyMethod`` or of ``mypkg.module:MyMethod``, which is imported.

        Args:
            name: what somebody typed.
            where: option or file, for errors; empty = :attr:`option`.

        Raises:
            BokehbenchError: there is no such name, its module does not import, or it is no such class.
        """
        where = where or self.option
        if "." not in name and ":" not in name:
            if name not in self:
                raise BokehbenchError(f"{where}: there is no {self.what} '{name}'; {nearest(name, self)}.")
            return self[name]
        module, _, attribute = name.partition(":") if ":" in name else name.rpartition(".")
        try:
            holder = import_module(module)
        except Exception as error:  # whatever a module of somebody else raises
            raise BokehbenchError(
                f"{where} {name}: {module} does not import ({type(error).__name__}: {error}): correct the name, "
                "install the package, or put its folder on PYTHONPATH."
            ) from error
        try:
            found = attrgetter(attribute)(holder)
        except AttributeError:
            known = [key for key, value in vars(holder).items() if isinstance(value, type)]
            raise BokehbenchError(
                f"{where} {name}: {module} has no {attribute}; {nearest(attribute, known)}."
            ) from None
        if why := self.wrong(found):
            raise BokehbenchError(f"{where} {name} {why}.")
        return found

    def recorded(self, path: str, source: str, owner: str = "") -> type[Kind]:
        """The class that a file names, if it is registered or imported already; the name causes no import.

        Args:
            path: of the class, as :func:`class_path` gives it.
            source: the file, for errors.
            owner: its distribution and version, as the file says.

        Raises:
            BokehbenchError: neither; says what to install and to type.
        """
        package, name = path.partition(".")[0], path.rpartition(".")[2]
        here = [kind for kind in _derived(self._base.load()) if class_path(kind) == path]
        if here:
            return here[-1]
        if package == OURS:
            if name not in self.places:
                raise BokehbenchError(
                    f"{source} is of a {self.what} '{name}' that this bokehbench does not have; {nearest(name, self)}."
                )
            return self.named(name)
        same = [offer for offer in installed(self.group) if (offer.package, offer.attribute) == (package, name)]
        kinds = {class_path(kind): kind for kind in map(self.load, same)}
        if path in kinds:
            return kinds[path]
        if len(kinds) == 1:  # it has moved inside its package
            return next(iter(kinds.values()))
        raise BokehbenchError(
            f"{source} is of the {self.what} {path} (distribution {owner or package}), which is not registered: "
            f"install it, and give {self.option} {path}."
        )

    def name_of(self, kind: type) -> str:
        """What to type for a class: its short name, else its path."""
        for name, offers in self.offers().items():
            if len(offers) == 1 and offers[0].stands_for(kind):
                return name
        return class_path(kind)

    def written(self, kind: type) -> str:
        """What configurations and messages call a class: ``EBB`` for one of ours, else its path."""
        return kind.__name__ if self.places.get(kind.__name__) == kind.__module__ else class_path(kind)

    def _remedy(self, offers: list[Offer]) -> str:
        paths = " or ".join(offer.value.replace(":", ".") for offer in offers)
        return f"give {self.option} {paths}, or {super()._remedy(offers)}"


def class_path(kind: type) -> str:
    """``bokehbench.models.deeplens.DeepLens``."""
    return f"{kind.__module__}.{kind.__qualname__}"


def _derived(base: type) -> Iterator[Any]:
    """All classes derived from ``base`` that exist in this process, the newest of equal paths last."""
    kinds: list[Any] = base.__subclasses__()
    for kind in kinds:
        yield kind
        yield from _derived(kind)
