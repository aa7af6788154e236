"""A process finds those that were started with it, or says what is missing."""

from __future__ import annotations

from typing import Any

import pytest
import torch.distributed as dist

from tunesmith.core.errors import MissingError
from tunesmith.train.parallel import ALONE, Group
from tunesmith.train.parallel.joining import joined


@pytest.mark.parametrize("environment", [{}, {"WORLD_SIZE": "1", "RANK": "0"}])
def test_a_process_that_is_the_only_one_is_a_group(environment: dict[str, str]) -> None:
    with joined(environment) as group:
        assert group is ALONE
        assert (group.rank, group.size) == (0, 1)


def test_one_of_several_must_know_where_they_meet() -> None:
    with pytest.raises(MissingError) as caught, joined({"WORLD_SIZE": "2", "RANK": "1"}):
        pass
    problem = caught.value.problems[0]
    assert problem.code == "T51"
    assert problem.values["missing"] == "MASTER_ADDR, MASTER_PORT"


def test_processes_that_have_met_already_go_on_so(together: Any) -> None:
    def act(group: Group) -> tuple[int, int, bool]:
        known = {"RANK": str(group.rank), "WORLD_SIZE": "2", "MASTER_ADDR": "nowhere", "MASTER_PORT": "1"}
        with joined(known) as found:
            sizes = found.size, found.beside
        return *sizes, dist.is_initialized()

    assert together(act) == [(2, 2, True)] * 2
