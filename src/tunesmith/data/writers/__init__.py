"""Writers: rows into files of one format each, a batch at a time."""
