"""Parts of the benchmark of data preparation: its corpus, the truth about it, the chains and the clock."""
