"""Several processes that train one recipe; everything that is different about that is here."""

from tunesmith.train.parallel.group import ALONE, Alone, Group, LeftError

__all__ = ["ALONE", "Alone", "Group", "LeftError"]
