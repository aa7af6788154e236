"""Readers, one for each format: a file in batches of rows that know their lines."""
