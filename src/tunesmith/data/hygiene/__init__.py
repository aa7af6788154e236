"""Finding rows that are probably wrong. Each module knows one kind of mistake; `data.issues` asks all."""
