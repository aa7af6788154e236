"""Where results may be written: what would cost rows or fail in the end is refused before any work."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from tunesmith.core import durable
from tunesmith.core.errors import DataError, UsageError
from tunesmith.data.readers import stored
from tunesmith.data.sources import locate
from tunesmith.data.writing import layouts_for
from tunesmith.workflow.dataset.section import Section

_USUAL = ".jsonl"
_PARTS = ("train", "validation", "test")


def check_out(section: Section, out: Path, *, folder: bool = False) -> None:
    """Refuse a file that is read itself, and a path that cannot be made.

    Raises:
        UsageError: U08 when `out` is read itself, D90 when something else stands at it or above it.
        NotFoundError, DataError: when sources cannot be found.
    """
    there = next(path for path in (out.absolute(), *out.absolute().parents) if path.exists())
    is_there = there == out.absolute()
    if there.is_dir() != (folder or not is_there):
        raise UsageError("D90", file=out, other=there)
    if is_there and not folder and out.resolve() in _sources(section):
        raise UsageError("U08", file=out)


def check_parts(section: Section, made: Iterable[str], out: Path) -> None:
    """Refuse a folder in which parts would replace a source, or stand beside those of another division.

    Raises:
        UsageError: U08 when a part is read itself.
        DataError: D88 when parts are left over.
    """
    own = {out / name for name in made}
    if taken := {path.resolve() for path in own} & _sources(section):
        raise UsageError("U08", file=min(taken))
    others = (path for name in _PARTS for path in out.glob(f"{name}.*"))
    if left := sorted(path for path in others if path not in own):
        raise DataError("D88", file=out, left=", ".join(path.name for path in left))


def move_in(made: Path, out: Path) -> None:
    """Put the files of a folder into another one, each of them durably."""
    for file in sorted(made.iterdir()):
        with durable.new_file(out / file.name) as temporary:
            shutil.move(file, temporary)


def ending(section: Section, wanted: str | None, layout: str | None) -> str:
    """The ending of the files to write: as wanted, with or without the dot, else that of the first source.

    Where rows of that shape and layout cannot be written to files like the source it is `.jsonl`.

    Raises:
        UsageError: U10 when no file with the wanted ending can be written.
    """
    fitting = layouts_for(section.shape)
    if wanted is not None:
        known = sorted({one for endings in fitting.values() for one in endings})
        suffix = f".{wanted.lower().removeprefix('.')}"
        if suffix not in known:
            raise UsageError("U10", value=wanted, known=", ".join(known))
        return suffix
    allowed = fitting.get(layout, ()) if layout else [one for own in fitting.values() for one in own]
    entries = next(iter(section.data.source.values()))
    source = stored.suffix(locate(entries[0].path, section.base)[0].path)
    return source if source in allowed else _USUAL


def _sources(section: Section) -> set[Path]:
    """Every file that is read."""
    given = ((split, entry) for split, entries in section.data.source.items() for entry in entries)
    located = (file for split, entry in given for file in locate(entry.path, section.base, split))
    return {path.resolve() for file in located for path in file.paths}
