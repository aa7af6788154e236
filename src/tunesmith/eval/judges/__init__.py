"""Models that judge answers: how they are asked, what they say, and how far they agree with people."""
