"""Models judged by a model or by people."""
