"""Data sets of the workspace: files with what was recognised of them, and their rows ready to be paged."""
