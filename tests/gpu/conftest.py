"""These tests need a graphics processor and say so where there is none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from tunesmith.models import device


@pytest.fixture(autouse=True)
def graphics() -> Iterator[None]:
    """Tensors are made on the graphics processor."""
    if not torch.cuda.is_available():
        pytest.skip("torch sees no graphics processor")
    device.take()
    yield
    torch.set_default_device(None)
