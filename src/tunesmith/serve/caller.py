"""Whose request is being handled: the id of its key, known to all that is called while it is."""

from __future__ import annotations

from contextvars import ContextVar

CALLER: ContextVar[str] = ContextVar("caller", default="")
"""Empty where no key was asked for."""
