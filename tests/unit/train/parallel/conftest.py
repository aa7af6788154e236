"""Processes that begin as copies of this one: they share what it made, and import nothing anew."""

from __future__ import annotations

import multiprocessing
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist

from tunesmith.train.parallel import Group

Together = Callable[[Callable[[Group], Any]], list[Any]]


@pytest.fixture
def together(tmp_path: Path) -> Together:
    """Do something in two processes of a group; what it came to in each, or the error it ended with."""

    numbers = count()

    def run(act: Callable[[Group], Any]) -> list[Any]:
        forking = multiprocessing.get_context("fork")
        pipes = [forking.Pipe(duplex=False) for _ in range(2)]
        # One that was used is of no use to others.
        meeting = f"file://{tmp_path}/meeting-{next(numbers)}"
        peers = [
            forking.Process(target=_peer, args=(rank, meeting, act, pipe[1]))
            for rank, pipe in enumerate(pipes)
        ]
        with _allowed():
            for peer in peers:
                peer.start()
        for _, theirs in pipes:
            theirs.close()
        found = [_heard(ours) for ours, _ in pipes]
        for peer in peers:
            peer.join(10)
        return found

    return run


def _heard(pipe: Any) -> Any:
    """What a process sent, or None if it ended without a word."""
    try:
        return pipe.recv() if pipe.poll(60) else None
    except EOFError:
        return None


@contextmanager
def _allowed() -> Any:
    """Newer versions of Python warn when a process with threads is copied; the copies here use one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _peer(rank: int, meeting: str, act: Callable[[Group], Any], answer: Any) -> None:
    from tunesmith.train.parallel.several import Several

    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
    try:
        answer.send(act(Several(beside=2)))
    except Exception as error:
        answer.send(error)
    dist.destroy_process_group()
