"""What is known of models in the numbers in which the engine native keeps them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tunesmith.models.resolve import weights_digest
from tunesmith.serve.native import certificate


def certificates(folder: str) -> list[dict[str, Any]]:
    """The certificates of a model that was served so here; weights are only read where there are any."""
    return certificate.known(weights_digest(Path(folder))) if certificate.some() else []
