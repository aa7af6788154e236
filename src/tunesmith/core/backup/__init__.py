"""A workspace in one file, and back: rows as JSON, files by their sha256; no code, no pickle."""

from __future__ import annotations

from tunesmith.core.backup.contents import Contents
from tunesmith.core.backup.restoring import restore
from tunesmith.core.backup.writing import backup

__all__ = ["Contents", "backup", "restore"]
