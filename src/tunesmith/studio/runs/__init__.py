"""Runs as the Studio shows them: a list, one of them, and what may be done with them."""
