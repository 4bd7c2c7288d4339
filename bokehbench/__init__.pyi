from bokehbench.api import boards as boards
from bokehbench.api import compare as compare
from bokehbench.api import data_sets as data_sets
from bokehbench.api import evaluate as evaluate
from bokehbench.api import fit as fit
from bokehbench.api import load as load
from bokehbench.api import methods as methods
from bokehbench.api import protocols as protocols
from bokehbench.api import score as score
from bokehbench.api import test as test

__version__: str
__all__: list[str]
