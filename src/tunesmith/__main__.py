"""`python -m tunesmith`: the command line."""

from __future__ import annotations

import sys

from tunesmith.cli import program

sys.exit(program())
