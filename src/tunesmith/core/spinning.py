"""How long the threads of a matrix product spin while they wait; it has to be said before torch is loaded.

A runtime of OpenMP lets them spin for so long that they hold each other up as soon as anything else runs on
the machine. A tenth of a millisecond is about what it takes to wake one.
"""

from __future__ import annotations

import os

# Of libgomp, which torch brings on Linux; and of LLVM's and Intel's, whose threads then sleep at once.
_SHORT = {"GOMP_SPINCOUNT": "10000", "KMP_BLOCKTIME": "0"}


def environment() -> dict[str, str]:
    """What is to be added to the environment of a process that computes: nothing that the user decided."""
    if "OMP_WAIT_POLICY" in os.environ:
        return {}
    return {name: value for name, value in _SHORT.items() if name not in os.environ}
