"""What both sides of attention know: the server, and the process that looks."""

from __future__ import annotations

MOST_TOKENS = 128
