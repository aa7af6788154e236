"""The command line: one small file per verb. Nothing heavy is imported before a verb needs it."""

from tunesmith.cli.main import main, program

__all__ = ["main", "program"]
