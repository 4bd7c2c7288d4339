"""Which experiments of a suite need the fits of which others, and the order of running that follows."""

from collections.abc import Collection, Sequence
from graphlib import CycleError, TopologicalSorter

from bokehbench.errors import BokehbenchError, nearest
from bokehbench.suite.experiment import Experiment

#: An experiment's name and ``fit`` or ``test``.
Step = tuple[str, str]


def check_needs(experiments: Sequence[Experiment], where: str) -> None:
    """Refuse needs that cannot be met.

    Raises:
        BokehbenchError: an unknown name, one without weights, or experiments that need each other in a circle.
    """
    known = {experiment.name: experiment for experiment in experiments}
    for experiment in experiments:
        for name in (*experiment.fit_needs, *experiment.test_needs):
            if name not in known:
                raise BokehbenchError(
                    f"{where}: experiment '{experiment.name}' needs '{name}', which the suite does not have; "
                    f"{nearest(name, list(known))}."
                )
            if not (known[name].fits or known[name].checkpoint or known[name].origin):
                raise BokehbenchError(f"{where}: experiment '{experiment.name}' needs '{name}', which has no weights.")
        if experiment.origin is not None and known[experiment.origin].model != experiment.model:
            raise BokehbenchError(
                f"{where}: experiment '{experiment.name}' is of {experiment.model}, but 'from' names "
                f"'{experiment.origin}', which is of {known[experiment.origin].model}."
            )
        if not experiment.tested and not experiment.fits:
            raise BokehbenchError(f"{where}: experiment '{experiment.name}' has 'test: false' and nothing to fit.")
    try:
        tuple(TopologicalSorter(_graph(experiments)).static_order())
    except CycleError as error:
        circle = dict.fromkeys(name for name, _ in error.args[1])
        raise BokehbenchError(f"{where}: experiments need each other in a circle: {', '.join(circle)}.") from error


def steps(experiments: Sequence[Experiment], only: Sequence[str] | None = None) -> list[Step]:
    """What is to be run, every fit before the steps that need it, else in the order of the suite.

    ``only`` names the experiments to test, None = all; the fits that these need are run with them.
    """
    graph = _graph(experiments)
    found: list[Step] = []

    def add(step: Step) -> None:
        for needed in graph[step]:
            add(needed)
        if step not in found:
            found.append(step)

    for experiment in experiments:
        if only is None or experiment.name in only:
            add((experiment.name, "test" if experiment.tested else "fit"))
    known = {experiment.name: experiment for experiment in experiments}
    return [(name, verb) for name, verb in found if verb == "test" or known[name].fits]


def before(experiments: Sequence[Experiment], todo: Collection[Step]) -> dict[Step, set[Step]]:
    """Step of ``todo`` -> those of ``todo`` that must have ended before it begins."""
    graph = _graph(experiments)

    def needed(step: Step) -> set[Step]:
        return set().union(*({each} if each in todo else needed(each) for each in graph[step]))

    return {step: needed(step) for step in todo}


def lacking(experiments: Sequence[Experiment], given: Collection[str]) -> dict[str, str]:
    """Experiment -> why it cannot be run with the inputs ``given``; those that can are left out."""
    found: dict[str, str] = {}
    order = TopologicalSorter({e.name: {*e.fit_needs, *e.test_needs} for e in experiments}).static_order()
    known = {experiment.name: experiment for experiment in experiments}
    for experiment in (known[name] for name in order):
        inputs = [name for name in experiment.input_needs if name not in given]
        needed = [name for name in (*experiment.fit_needs, *experiment.test_needs) if name in found]
        if inputs:
            asked = " and ".join(f"{experiment.inputs[name]}, --input {name}=PATH" for name in inputs)
            found[experiment.name] = f"it needs {asked}."
        elif needed:
            found[experiment.name] = f"it starts from '{needed[0]}', and {found[needed[0]]}"
    return found


def _graph(experiments: Sequence[Experiment]) -> dict[Step, list[Step]]:
    """Step -> steps before it. An experiment without a fit of its own passes the need on to where its weights are."""
    graph: dict[Step, list[Step]] = {}
    for experiment in experiments:
        graph[experiment.name, "fit"] = [(needed, "fit") for needed in experiment.fit_needs]
        graph[experiment.name, "test"] = [(needed, "fit") for needed in (experiment.name, *experiment.test_needs)]
    return graph
