"""The figures of runs as series of numbers: read from events, kept beside the runs, shown at any zoom."""
