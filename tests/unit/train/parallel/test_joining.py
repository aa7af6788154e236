"""A process finds those that were started with it, or says what is missing."""

from __future__ import annotations

import pytest

from tunesmith.core.errors import MissingError
from tunesmith.train.parallel import ALONE
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
