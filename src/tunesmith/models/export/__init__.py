"""Models in the formats of other programs, and the proof that they still say the same."""
