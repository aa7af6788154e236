"""How threads meet: a cheap barrier within a step, and who waits for the next one looks for a while only."""

from __future__ import annotations

from tunesmith.serve.native.compiler import compiled
from tunesmith.serve.native.intrinsics import add, give_way, load, relax, store, whole
from tunesmith.serve.native.slots import Slot

LINE = 8
"""Numbers of one line of memory. Each shared number is alone in one: threads do not disturb each other."""
BEGUN, ARRIVED, CLOSED, FIRST = range(4)
"""Lines of the shared numbers; behind them are two of each thread."""
SPINNING, PASSED = range(2)
"""The lines of a thread: whether it looks; barriers it has passed and steps it has begun."""
_PATIENCE = 2000  # looks before a core is offered to others: who is waited for may need this very one
_SHARES = 8  # of each thread, in which work is taken


@compiled
def line(control: int, number: int) -> int:
    """The address of one of the shared numbers."""
    return control + 8 * LINE * number


@compiled
def own(control: int, thread: int, which: int) -> int:
    """The address of one of a thread's own lines."""
    return control + 8 * LINE * (FIRST + 2 * thread + which)


@compiled
def wait(thread: int, table: int) -> None:
    """Until all threads are here, and all that they wrote is seen."""
    control, threads = whole(table, Slot.CONTROL), whole(table, Slot.THREADS)
    passed = own(control, thread, PASSED)
    target = load(passed) + threads
    store(passed, target)
    add(line(control, ARRIVED), 1)
    looks = 0
    while load(line(control, ARRIVED)) < target:
        relax()
        looks += 1
        if looks % _PATIENCE == 0:
            give_way()


@compiled
def taken_of(phase: int, table: int) -> int:
    """Where it is noted how much of a product, or of attention, threads have taken."""
    return line(whole(table, Slot.TAKEN), phase)


@compiled
def share(count: int, table: int) -> int:
    """How many of so many things a thread takes at a time: who is held up by other programs takes fewer."""
    return max(1, count // (_SHARES * whole(table, Slot.THREADS)))


@compiled
def begin(table: int) -> int:
    """Announce a step; returns which threads sleep, as bits."""
    control = whole(table, Slot.CONTROL)
    add(line(control, BEGUN), 1)
    asleep = 0
    for thread in range(1, whole(table, Slot.THREADS)):
        if not load(own(control, thread, SPINNING)):
            asleep |= 1 << thread
    return asleep


@compiled
def follows(thread: int, patience: int, table: int) -> bool:
    """Whether another step begins. Who says to have stopped looking looks once more: nothing is missed."""
    control = whole(table, Slot.CONTROL)
    begun, spinning = own(control, thread, PASSED) + 8, own(control, thread, SPINNING)
    looks = 0
    while looks <= patience + 1 and not load(line(control, CLOSED)):
        if load(line(control, BEGUN)) > load(begun):
            store(begun, load(begun) + 1)
            store(spinning, 1)
            return True
        if looks == patience:
            store(spinning, 0)
        looks += 1
        relax()
        if looks % _PATIENCE == 0:
            give_way()
    return False


@compiled
def close(table: int) -> None:
    """Tell all threads that no step follows."""
    store(line(whole(table, Slot.CONTROL), CLOSED), 1)
