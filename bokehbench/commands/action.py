"""Verbs with actions, such as ``bokehbench study build``."""

import argparse
from collections.abc import Callable, Mapping

from bokehbench.errors import BokehbenchError, nearest


def run_action(
    argv: list[str],
    arguments: Callable[[list[str]], argparse.Namespace],
    actions: Mapping[str, Callable[[argparse.Namespace], int]],
) -> int:
    """Run the action that ``argv`` names, and return its exit status.

    Args:
        argv: the verb, the action and its options.
        arguments: parses what follows the verb into options with an ``action``.
        actions: name -> what it does.

    Raises:
        BokehbenchError: there is no such action, or what the action raises.
    """
    verb, *words = argv
    if words and not words[0].startswith("-") and words[0] not in actions:
        raise BokehbenchError(f"There is no '{verb} {words[0]}'; {nearest(words[0], actions)}.")
    options = arguments(words)
    return actions[options.action](options)
