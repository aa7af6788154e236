"""Sums of gradients over processes, in buckets: few messages, and little memory beside the gradients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.distributed as dist
from torch import nn

_BUCKET = 1 << 23
"""Numbers that are sent at once, 32 MiB; a larger gradient is sent as it is."""


def add_up(parameters: Sequence[nn.Parameter]) -> None:
    """Replace the gradients of the parameters, which are the same ones everywhere, by their sums."""
    for bucket in _buckets(parameters):
        parts = [_gradient(p) for p in bucket]
        whole = torch.cat([part.reshape(-1) for part in parts])
        dist.all_reduce(whole)
        for part, value in zip(parts, whole.split([part.numel() for part in parts]), strict=True):
            part.copy_(value.view_as(part))


def _gradient(parameter: nn.Parameter) -> torch.Tensor:
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad


def _buckets(parameters: Sequence[nn.Parameter]) -> Iterator[list[nn.Parameter]]:
    bucket: list[nn.Parameter] = []
    for parameter in parameters:
        if bucket and sum(p.numel() for p in bucket) + parameter.numel() > _BUCKET:
            yield bucket
            bucket = []
        bucket.append(parameter)
    if bucket:
        yield bucket
