"""Puts the Studio's page into the package; an installation never fails for want of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent / "web"))

import building

# Where there is no such binary, pip must not look for it.
_MACHINES = "platform_machine in 'x86_64 AMD64 aarch64 arm64 ARM64'"


class PageHook(BuildHookInterface[Any]):
    """Builds the page from web/ before a wheel or an editable installation is made."""

    def dependencies(self) -> list[str]:
        """A node, where there is something to build and the system has none."""
        needed = not building.is_current() and building.system_node() is None
        return [f"{building.BINARIES}; {_MACHINES}"] if needed else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build where the sources have changed. Without a page the service runs and says how to get it."""
        if building.is_current():
            return
        try:
            building.build()
        except building.BuildError as error:
            self.app.display_warning(f"the Studio's page is not in this installation: {error}")
