"""What was read of a run's events, kept in one file: read again only what was written since.

The events are the truth. What is kept may be lost, old or of another run of that name: reading finds out.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from pydantic_core import from_json
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from tunesmith.core import durable
from tunesmith.core.plain import dumps
from tunesmith.studio.series.known import Known, Mark, Track

_FORMAT = 1


def write(path: Path, known: Known) -> None:
    """Keep `known`.

    Raises:
        TunesmithError: C02 when the system refuses to write.
    """
    about = {
        "format": _FORMAT, "read": known.read, "last": known.last.decode("latin-1"),
        "training": known.training, "step": known.step,
        "tracks": [[training, kind, list(track.columns)] for (training, kind), track in known.tracks.items()],
        "marks": [asdict(mark) for mark in known.marks],
    }  # fmt: skip
    arrays = {str(i): np.stack([*track.columns.values()]) for i, track in enumerate(known.tracks.values())}
    durable.write_bytes(path, save(arrays, {"about": dumps(about)}))


def read(path: Path) -> Known:
    """What was kept; nothing where that cannot be read."""
    try:
        with safe_open(path, "np") as file:
            about = from_json(file.metadata()["about"])
            if about["format"] != _FORMAT:
                return Known()
            return _known(about, file)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        return Known()


def _known(about: dict[str, Any], file: Any) -> Known:
    tracks = {
        (training, kind): Track(columns=dict(zip(columns, file.get_tensor(str(i)), strict=True)))
        for i, (training, kind, columns) in enumerate(about["tracks"])
    }
    return Known(
        read=about["read"], last=about["last"].encode("latin-1"), training=about["training"],
        step=about["step"], tracks=tracks, marks=tuple(Mark(**mark) for mark in about["marks"]),
    )  # fmt: skip
