"""The cursor of a stream: how far its reader has got in every topic, as one short text.

It names durable places (a revision of the store, a byte of a file), so that it means the same after the
server was started anew.
"""

from __future__ import annotations

from collections.abc import Mapping

LONGEST = 4096


def written(places: Mapping[str, str]) -> str:
    """`topic=place;topic=place`."""
    return ";".join(f"{topic}={place}" for topic, place in places.items())


def read(cursor: str) -> dict[str, str]:
    """The places in a cursor; what cannot be read is left out, and so unknown."""
    pairs = (part.partition("=") for part in cursor[:LONGEST].split(";"))
    return {topic: place for topic, _, place in pairs if topic and place}
