"""The waiting room: bounded in requests and in size, first come first served."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest

from tunesmith.core.errors import TunesmithError
from tunesmith.serve.admission import Limits, WaitingRoom


@dataclass(eq=False)
class Work:
    size: int = 1


def room(requests: int = 3, size: int = 100) -> WaitingRoom[Work]:
    return WaitingRoom(Limits(queue_requests=requests, queue_size=size))


def refused(room: WaitingRoom[Work], *jobs: Work) -> str:
    with pytest.raises(TunesmithError) as error:
        room.put(jobs)
    return error.value.problems[0].code


def test_work_is_taken_in_the_order_it_came() -> None:
    here, jobs = room(), [Work(), Work(), Work()]
    here.put(jobs)
    assert here.take(2, wait=False) == jobs[:2]
    assert here.take(2, wait=False) == jobs[2:]
    assert here.take(2, wait=False) == []


def test_no_work_is_no_queue() -> None:
    here, job = room(), Work()
    here.put([])
    here.put([job], "a key")
    assert here.take(2, wait=True) == [job]


def test_no_more_is_taken_than_fits_and_a_job_alone_always_does() -> None:
    here, jobs = room(requests=9), [Work(60), Work(30), Work(30), Work(1)]
    here.put(jobs)
    assert here.take(9, wait=False, size=100) == jobs[:2]
    assert here.take(9, wait=False, size=29) == []
    assert here.take(9, wait=True, size=29) == [jobs[2]]
    assert here.take(9, wait=True, size=29) == [jobs[3]]


def test_too_many_are_refused_whole_and_change_nothing() -> None:
    here = room(requests=3)
    here.put([Work(), Work()])
    assert refused(here, Work(), Work()) == "S03"
    assert len(here) == 2
    here.put([Work()])


def test_too_large_is_refused_unless_nothing_waits() -> None:
    here = room(size=100)
    here.put([Work(500)])
    assert refused(here, Work(1)) == "S03"
    here.take(1, wait=False)
    here.put([Work(60)])
    assert here.size == 60
    assert refused(here, Work(41)) == "S03"


def test_discarded_work_makes_room() -> None:
    here, job = room(requests=1), Work(9)
    here.put([job])
    here.discard(job)
    here.discard(job)
    assert here.size == 0
    here.put([Work()])


def test_closing_returns_who_waits_and_ends_the_worker() -> None:
    here, job = room(), Work()
    here.put([job])
    assert here.close() == [job]
    assert here.take(1, wait=True) is None
    assert refused(here, Work()) == "S07"


def test_a_waiting_worker_wakes_up_for_new_work() -> None:
    here, taken = room(), []
    worker = threading.Thread(target=lambda: taken.append(here.take(1, wait=True)))
    worker.start()
    job = Work()
    here.put([job])
    worker.join(timeout=10)
    assert taken == [[job]]


def test_keys_take_turns_by_size() -> None:
    here = room(requests=9, size=1000)
    greedy, other = [Work(100) for _ in range(4)], [Work(50) for _ in range(4)]
    here.put(greedy, "greedy")
    here.put(other, "other")
    taken = here.take(6, wait=False)
    assert taken is not None
    assert [job in greedy for job in taken] == [True, False, False, True, False, False]


def test_one_key_fills_its_own_room_only() -> None:
    here = room(requests=2)
    here.put([Work(), Work()], "greedy")
    with pytest.raises(TunesmithError, match="S03"):
        here.put([Work()], "greedy")
    here.put([Work()], "other")
    for number in range(6):
        here.put([Work(), Work()], str(number))
    here.put([Work()], "other")
    with pytest.raises(TunesmithError, match="S72"):
        here.put([Work()], "late")
