"""``python -m bokehbench``."""

import sys

from bokehbench.cli import main

sys.exit(main())
