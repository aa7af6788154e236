"""The cleaners that come with Tunesmith, one idea a file; their protocol is in `data.clean`."""
