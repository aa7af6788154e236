"""Models of the Hugging Face hub: only configuration, tokenizer and safetensors.

The hub's own client fetches, continues what was cut off, and keeps each file under the checksum that the hub
states. To that checksum it is held here whenever the model is asked for, so that a cache that decayed or was
changed is not trained on.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from tunesmith.core import durable
from tunesmith.core.errors import MissingError, ModelError, NotFoundError
from tunesmith.core.registry import suggestion
from tunesmith.models import inspection

PATTERNS = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "README.md", "LICENSE*")
"""What is fetched: no pickles, no code."""
_SHA256, _SHA1 = 64, 40


def fetched(repository: str) -> Path:
    """The local snapshot of a hub repository; HF_ENDPOINT, HF_HUB_OFFLINE and HF_HOME are respected.

    Raises:
        NotFoundError: M01 when the hub has no such model, or could have none of that name.
        MissingError: M02 when it is not here and the hub cannot be asked.
        ModelError: M07 when a file is not what the hub stated; M08 when it has no safetensors.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        folder = Path(snapshot_download(repository, allow_patterns=list(PATTERNS)))
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise NotFoundError("M01", name=repository, **suggestion(repository, [])) from error
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise MissingError("M02", name=repository, reason=_first_line(error)) from error
    if not list(folder.glob("*.safetensors")):
        raise ModelError("M08", file=folder, name=repository)
    for file in sorted(folder.iterdir()):
        _hold(file)
    inspection.inspect(folder)
    return folder


def _hold(file: Path) -> None:
    """Hold a file to the checksum after which its blob is named: sha256, of small files that of git."""
    expected = file.resolve().name
    checksum = {_SHA256: durable.sha256, _SHA1: _git}.get(len(expected))
    if file.is_symlink() and checksum and (found := checksum(file)) != expected:
        raise ModelError("M07", file=file, expected=expected, found=found)


def _git(file: Path) -> str:
    """The name that git gives to the content of a file."""
    content = file.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:300]
