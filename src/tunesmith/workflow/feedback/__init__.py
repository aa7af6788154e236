"""Learning from use: what people said of answers becomes rows, versions of them, and the next candidate."""
