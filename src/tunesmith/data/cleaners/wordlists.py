"""The short lists of words and lines that come with the cleaners, and lists in files of one's own."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path

from tunesmith.core.errors import DataError, NotFoundError


@cache
def builtin(name: str) -> dict[str, tuple[str, ...]]:
    """The lists of a file beside this module, by their names."""
    content = files("tunesmith.data.cleaners").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return {key: tuple(values) for key, values in tomllib.loads(content).items()}


def own(file: str | None) -> tuple[str, ...]:
    """The lines of a file of one's own, without blank ones and those that begin with `#`.

    Raises:
        NotFoundError: D60 when it does not exist.
        DataError: D61 when it is not UTF-8 text.
    """
    if file is None:
        return ()
    try:
        lines = Path(file).read_text(encoding="utf-8-sig").splitlines()
    except (FileNotFoundError, IsADirectoryError) as error:
        raise NotFoundError("D60", file=file) from error
    except UnicodeDecodeError as error:
        raise DataError("D61", file=file) from error
    return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))
