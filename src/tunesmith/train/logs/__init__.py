"""Trackers that are told the numbers of a training, read from its events: what people already look at."""

from __future__ import annotations

from tunesmith.train.logs.follow import Follower, check

__all__ = ["Follower", "check"]
