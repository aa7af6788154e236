"""What the Studio runs on: program, machine, licences of what it is made of, and what is wrong."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import metadata

from fastapi import FastAPI, Request
from pydantic import BaseModel

import tunesmith
from tunesmith.core import text
from tunesmith.core.repair import Finding, Visit, examine
from tunesmith.serve import errors
from tunesmith.serve.policies import Policy, Route
from tunesmith.studio.roles import VIEWER
from tunesmith.studio.state import Studio
from tunesmith.workflow import machine

POLICIES: dict[Route, Policy] = {("GET", "/api/settings"): VIEWER}

_LONGEST_LICENCE = 60


class Package(BaseModel):
    """Something this program is made of."""

    name: str
    version: str
    licence: str


class Ailment(BaseModel):
    """Something that is wrong with the workspace; `tunesmith doctor --repair` mends what can be mended."""

    kind: str
    text: str


class About(BaseModel):
    """The program, the machine it runs on, and the state of the workspace; sizes in bytes."""

    version: str
    python: str
    platform: str
    cores: int
    memory_total: int | None
    torch: str
    threads: int
    bf16: list[str]
    gpus: list[str]
    offline: bool
    sqlite: str
    sqlite_sound: bool
    workspace: str
    writable: bool
    packages: list[Package]
    wrong: list[Ailment]


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the route of the settings' facts into `app`."""

    @app.get("/api/settings")
    def settings(request: Request) -> About:
        """What `tunesmith doctor` says, and the licences."""
        found = machine.facts(studio.workspace)
        host, torch = found["machine"], found["torch"]
        lang = errors.language(request.headers)
        return About(
            version=tunesmith.__version__,
            python=host["python"],
            platform=host["platform"],
            cores=host["cores"],
            memory_total=host["memory_bytes"],
            torch=torch["version"],
            threads=torch["threads"],
            bf16=torch["bf16"],
            gpus=torch["cuda"],
            offline=any(found["network"][name] == "1" for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")),
            sqlite=found["sqlite"]["version"],
            sqlite_sound=found["sqlite"]["sound"],
            workspace=found["workspace"]["path"],
            writable=found["workspace"]["writable"],
            packages=list(packages()),
            wrong=[_ailment(one, lang) for one in examine(studio.workspace, Visit(mend=False))],
        )


@lru_cache(maxsize=1)
def packages() -> tuple[Package, ...]:
    """The installed packages that this one asks for, with the licences they name."""
    wanted = {
        re.split(r"[^\w.-]", line)[0]
        for line in metadata.requires("tunesmith") or ()
        if "extra ==" not in line
    }
    found = (distribution for name in sorted(wanted, key=str.lower) for distribution in _installed(name))
    return tuple(Package(name=one.name, version=one.version, licence=_licence(one)) for one in found)


def _installed(name: str) -> list[metadata.Distribution]:
    try:
        return [metadata.distribution(name)]
    except metadata.PackageNotFoundError:
        return []


def _licence(found: metadata.Distribution) -> str:
    """The expression, else the classifier, else the first line of what the package says."""
    said = found.metadata.get_all("License-Expression") or []
    classifiers = found.metadata.get_all("Classifier") or []
    classified = [line.rsplit(" :: ", 1)[1] for line in classifiers if line.startswith("License ::")]
    written = [whole.split("\n")[0] for whole in found.metadata.get_all("License") or []]
    return next((line for line in (*said, *classified, *written) if line), "")[:_LONGEST_LICENCE]


def _ailment(found: Finding, lang: str) -> Ailment:
    said = text.say(f"cli.repair_{found.kind}", lang, subject=found.subject, detail=found.detail)
    return Ailment(kind=found.kind, text=said)
