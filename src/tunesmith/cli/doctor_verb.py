"""tunesmith doctor: what this machine is, what is installed, and what is switched off."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from tunesmith.cli import layout
from tunesmith.cli.output import Output
from tunesmith.core import text


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
    from tunesmith.workflow import machine

    language = {"spoken": output.lang, "locale": os.environ.get("LC_ALL") or os.environ.get("LANG")}
    return {**machine.facts(output.workspace), "language": language}


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
