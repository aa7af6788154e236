"""Layouts: the many ways in which files hold rows of a shape, each recognised, read and written."""

from __future__ import annotations

from tunesmith.data.layouts.reasons import REASON_CODES

__all__ = ["REASON_CODES"]
