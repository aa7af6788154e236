"""tunesmith doctor: what this machine is, what is installed, and what is switched off."""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
import sys
from pathlib import Path
from typing import Any

from tunesmith.cli import layout
from tunesmith.cli.output import Output
from tunesmith.core import text
from tunesmith.core.memory import available_memory_bytes, machine_memory_bytes

# Before it, a write-ahead log that two connections reset at once could be damaged.
_SOUND_SQLITE = (3, 51, 3)
_OFFLINE = ("HF_HUB_OFFLINE", "HF_ENDPOINT", "HF_HOME", "TRANSFORMERS_OFFLINE")


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """Whether to mend what is found."""
    parser.add_argument("--repair", action="store_true", help=text.say("cli.option_repair", lang))


def run(given: argparse.Namespace, output: Output) -> int:
    """Look at everything; nothing that is missing is a failure, and what is damaged only if it stays so."""
    from tunesmith.cli import repair_view

    if given.repair:
        return repair_view.repair(output)
    found = _everything(output)
    wrong = repair_view.look(output)
    output.data({**found, "wrong": [finding.as_dict() for finding in wrong]})
    _show(found, output)
    repair_view.show(wrong, output)
    return 0


def _everything(output: Output) -> dict[str, Any]:
    return {
        "machine": _machine(),
        "torch": _torch(),
        "extras": _extras(),
        "network": {name: os.environ.get(name) for name in _OFFLINE},
        "sqlite": {"version": sqlite3.sqlite_version, "sound": sqlite3.sqlite_version_info >= _SOUND_SQLITE},
        "workspace": _workspace(output),
        "language": {"spoken": output.lang, "locale": os.environ.get("LC_ALL") or os.environ.get("LANG")},
    }


def _machine() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": machine_memory_bytes(),
        "memory_available_bytes": available_memory_bytes(),
    }


def _torch() -> dict[str, Any]:
    import torch

    able = torch.cpu.get_capabilities()
    return {
        "version": torch.__version__,
        "threads": torch.get_num_threads(),
        "bf16": sorted(name for name, has in able.items() if "bf16" in name and has),
        "cuda": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
    }


def _extras() -> dict[str, str]:
    from tunesmith.core.errors import TunesmithError
    from tunesmith.core.workspace import Workspace
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


def _workspace(output: Output) -> dict[str, Any]:
    root = output.workspace.root
    nearest = next(folder for folder in (root, *root.parents) if folder.exists())
    return {"path": str(root), "exists": root.is_dir(), "writable": os.access(nearest, os.W_OK)}


def _show(found: dict[str, Any], output: Output) -> None:
    machine, torch = found["machine"], found["torch"]
    extras = [output.say(f"doctor_extra_{_state(state)}", name=n) for n, state in found["extras"].items()]
    variables = [f"{name}={value}" for name, value in found["network"].items() if value]
    sound = "" if found["sqlite"]["sound"] else output.say("doctor_sqlite_old")
    place = found["workspace"]
    state = "doctor_unwritable" if not place["writable"] else "doctor_new" if not place["exists"] else ""
    rows = (
        ("doctor_python", f"{machine['python']}  ({sys.executable})"),
        ("doctor_platform", machine["platform"]),
        ("doctor_cores", str(machine["cores"])),
        ("doctor_memory", _memory_line(machine, output)),
        ("doctor_torch", output.say("doctor_threads", version=torch["version"], threads=torch["threads"])),
        ("doctor_bf16", ", ".join(torch["bf16"]) or output.say("doctor_none")),
        ("doctor_gpu", ", ".join(torch["cuda"]) or output.say("doctor_none")),
        ("doctor_extras", "; ".join(extras)),
        ("doctor_network", " ".join(variables) or output.say("doctor_online")),
        ("doctor_sqlite", f"{found['sqlite']['version']} {sound}".rstrip()),
        ("doctor_workspace", " ".join([place["path"], *([output.say(state)] if state else [])])),
        ("doctor_language", f"{found['language']['spoken']}  ({found['language']['locale'] or '-'})"),
    )
    for line in layout.pairs([(output.say(key), value) for key, value in rows]):
        output.line(line)


def _state(code: str) -> str:
    return {"ok": "ok", "M03": "missing"}.get(code, "damaged")


def _memory_line(machine: dict[str, Any], output: Output) -> str:
    sizes = (machine["memory_available_bytes"], machine["memory_bytes"])
    free, total = (f"{size / 2**30:.1f}" if size else "?" for size in sizes)
    return output.say("doctor_free", free=free, total=total)
