"""What this machine is, what is installed on it, and what is switched off."""

from __future__ import annotations

import os
import platform
import sqlite3
from pathlib import Path
from typing import Any

from tunesmith.core.errors import TunesmithError
from tunesmith.core.memory import available_memory_bytes, machine_memory_bytes
from tunesmith.core.workspace import Workspace

# Before it, a write-ahead log that two connections reset at once could be damaged.
_SOUND_SQLITE = (3, 51, 3)
_OFFLINE = ("HF_HUB_OFFLINE", "HF_ENDPOINT", "HF_HOME", "TRANSFORMERS_OFFLINE")


def facts(workspace: Workspace) -> dict[str, Any]:
    """Everything there is to know before something is trained here."""
    return {
        "machine": machine(),
        "torch": installed_torch(),
        "extras": _extras(),
        "network": {name: os.environ.get(name) for name in _OFFLINE},
        "sqlite": {"version": sqlite3.sqlite_version, "sound": sqlite3.sqlite_version_info >= _SOUND_SQLITE},
        "workspace": _workspace(workspace),
    }


def machine() -> dict[str, Any]:
    """Interpreter, system, cores, memory."""
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": machine_memory_bytes(),
        "memory_available_bytes": available_memory_bytes(),
    }


def installed_torch() -> dict[str, Any]:
    """What torch can do here; loads it."""
    import torch

    able = torch.cpu.get_capabilities()
    return {
        "version": torch.__version__,
        "threads": torch.get_num_threads(),
        "bf16": sorted(name for name, has in able.items() if "bf16" in name and has),
        "cuda": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
    }


def _extras() -> dict[str, str]:
    from tunesmith.models import catalogue
    from tunesmith.models.resolve import resolve

    found = {}
    for entry in catalogue.entries().values():
        if entry.package:
            try:
                resolve(entry.name, Workspace(Path()))
                found[entry.name] = "ok"
            except TunesmithError as error:
                found[entry.name] = error.problems[0].code
    return found


def _workspace(workspace: Workspace) -> dict[str, Any]:
    root = workspace.root
    nearest = next(folder for folder in (root, *root.parents) if folder.exists())
    return {"path": str(root), "exists": root.is_dir(), "writable": os.access(nearest, os.W_OK)}
