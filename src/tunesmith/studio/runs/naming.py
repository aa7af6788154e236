"""How a run is named in addresses: by its id, by the beginning of it, or as `latest`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

RunId = Annotated[str, Path(min_length=1, max_length=256, pattern=r"^[^/\\]+$")]
