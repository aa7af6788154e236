"""Labelling as people meet it: projects of files, suggestions, a queue that learns, agreement, export."""
