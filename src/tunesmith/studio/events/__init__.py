"""Live data: what is new since a cursor, as server-sent events."""
