"""``bokehbench method check``: does a method that is a command do what its description says?"""

import argparse

from bokehbench.errors import BokehbenchError
from bokehbench.measure.conformance import problems
from bokehbench.models.external import External


def main(argv: list[str]) -> int:
    """Render small synthetic scenes and print what is wrong in sentences; returns 1 where something is."""
    parser = argparse.ArgumentParser(prog="bokehbench method", description=__doc__)
    parser.add_argument("action", choices=["check"], help="render small synthetic scenes and say what is wrong")
    parser.add_argument("file", help="YAML file that describes the method (docs/external_methods.md)")
    options = parser.parse_args(argv[1:])
    model = External(options.file).eval()
    try:
        found = list(problems(model))
    except BokehbenchError as error:
        found = [str(error)]
    print("\n".join(found) or f"{model.label}: does what {options.file} says.")
    return 1 if found else 0
