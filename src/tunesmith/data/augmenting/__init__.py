"""More rows to train on, made of those there are: what augmenters are given, and what keeps labels true."""
