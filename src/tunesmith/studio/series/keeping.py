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
from tunesmith.studio.series.known import Known, Mark, Numbers, Track

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
        with safe_open(path, "np") as file:  # which looks whether the file is whole
            about = from_json(file.metadata()["about"])
        return _known(about, path) if about["format"] == _FORMAT else Known()
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        return Known()


def _known(about: dict[str, Any], path: Path) -> Known:
    tracks = {
        (training, kind): Track(columns=dict(zip(columns, table, strict=True)))
        for (training, kind, columns), table in zip(about["tracks"], _tables(path), strict=True)
    }
    return Known(
        read=about["read"], last=about["last"].encode("latin-1"), training=about["training"],
        step=about["step"], tracks=tracks, marks=tuple(Mark(**mark) for mark in about["marks"]),
    )  # fmt: skip


def _tables(path: Path) -> list[Numbers]:
    """The tables [columns, rows] of the file, mapped: of long runs only what is looked at is read."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = from_json(file.read(size))
    header.pop("__metadata__")
    return [_mapped(path, 8 + size, header[str(number)]) for number in range(len(header))]


def _mapped(path: Path, begin: int, table: dict[str, Any]) -> Numbers:
    offset, shape = begin + table["data_offsets"][0], tuple(table["shape"])
    if 0 in shape:  # nothing cannot be mapped
        return np.empty(shape)
    return np.asarray(np.memmap(path, "<f8", "r", offset, shape))
