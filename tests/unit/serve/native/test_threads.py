"""Threads of a model: what they look at stays as long as they look."""

from __future__ import annotations

import gc
import weakref

import numpy as np

from tunesmith.serve.native import isa, meeting
from tunesmith.serve.native.slots import Slot
from tunesmith.serve.native.table import Table, aligned
from tunesmith.serve.native.threads import Team


def test_a_table_lives_until_nobody_looks_at_it() -> None:
    table = Table()
    table[Slot.THREADS] = 2
    table[Slot.CONTROL] = aligned((meeting.FIRST + 2 * 2, meeting.LINE), np.int64)
    team, found = Team(table, 2, isa.here()), weakref.ref(table)
    del table
    gc.collect()
    assert found() is not None
    team.close()
    del team
    gc.collect()
    assert found() is None
