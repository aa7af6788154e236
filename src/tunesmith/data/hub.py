"""Data sets of the Hugging Face hub: their files of rows, never a program."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tunesmith.core.errors import MissingError, NotFoundError, TunesmithError

PATTERNS = ("*.parquet", "*.arrow", "*.jsonl", "*.json", "*.csv", "*.tsv", "*.txt", "*.jsonl.gz", "*.csv.gz")
# What stands beside the rows: about the data set, its licence, what `save_to_disk` notes, a program's needs.
NO_ROWS = (
    "dataset_info.json", "*/dataset_info.json", "dataset_infos.json", "state.json", "*/state.json",
    "dataset_dict.json", "*_config.json", "requirements*.txt",
    "[Rr][Ee][Aa][Dd][Mm][Ee].*", "*/[Rr][Ee][Aa][Dd][Mm][Ee].*",
    "[Ll][Ii][Cc][Ee][Nn][CcSs][Ee].*", "*/[Ll][Ii][Cc][Ee][Nn][CcSs][Ee].*",
)  # fmt: skip
_SPARE = 2**30


def fetched(name: str) -> Path:
    """The folder of a data set, `ORG/NAME`; HF_ENDPOINT, HF_HUB_OFFLINE and HF_HOME are respected.

    Raises:
        NotFoundError: W30 when the hub has none of that name, or could have none.
        MissingError: W31 when it is not here and the hub cannot be asked.
        TunesmithError: W32 when the disk has no room for it.
    """
    from huggingface_hub import errors, snapshot_download

    try:
        _require_room(name)
        return Path(snapshot_download(name, **_wanted()))
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise NotFoundError("W30", name=name) from error
    except (errors.LocalEntryNotFoundError, errors.HfHubHTTPError, OSError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0][:300]
        raise MissingError("W31", name=name, reason=reason) from error


def _wanted() -> dict[str, Any]:
    return {"repo_type": "dataset", "allow_patterns": list(PATTERNS), "ignore_patterns": list(NO_ROWS)}


def _require_room(name: str) -> None:
    from huggingface_hub import constants, errors, snapshot_download

    try:
        files = snapshot_download(name, **_wanted(), dry_run=True)
    except errors.DryRunError:
        return  # the hub cannot be asked; all of it may be here already
    wanted = sum(file.file_size or 0 for file in files if file.will_download)
    home = Path(constants.HF_HUB_CACHE)
    home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(home).free
    if wanted + _SPARE > free:
        raise TunesmithError("W32", name=name, wanted=wanted // 2**20, free=free // 2**20)
