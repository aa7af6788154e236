"""How a process joins those that were started with it, by torchrun or by whatever sets what torchrun sets."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from tunesmith.core.errors import MissingError
from tunesmith.train.parallel.group import ALONE, Group

_NEEDED = ("RANK", "MASTER_ADDR", "MASTER_PORT")
# As long as the others wait while the first evaluates. A process that ends is noticed at once.
PATIENCE = timedelta(days=2)
"""How long a process waits for others."""


@contextmanager
def joined(environment: Mapping[str, str] = os.environ) -> Iterator[Group]:
    """The group of this process, for as long as the block lasts; those that have met already go on so.

    Raises:
        MissingError: T51 when it is one of several that do not know where to meet.
    """
    if int(environment.get("WORLD_SIZE", "1")) < 2:
        yield ALONE
        return
    if missing := [name for name in _NEEDED if name not in environment]:
        raise MissingError("T51", count=environment["WORLD_SIZE"], missing=", ".join(missing))
    import torch
    import torch.distributed as dist

    from tunesmith.train.parallel.several import Several

    place = int(environment.get("LOCAL_RANK", "0"))
    # Not tried on a machine with graphics processors.
    if torch.cuda.is_available():
        torch.cuda.set_device(place % torch.cuda.device_count())
    is_met = dist.is_initialized()
    if not is_met:
        dist.init_process_group(backend(), timeout=PATIENCE)
    try:
        yield Several(beside=int(environment.get("LOCAL_WORLD_SIZE", environment["WORLD_SIZE"])))
    finally:
        if not is_met:
            dist.destroy_process_group()


def backend() -> str:
    """How the processes talk: through gloo about what is in main memory."""
    import torch

    return "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
