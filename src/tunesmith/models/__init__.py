"""Models: where they come from, how they are loaded, and what is put around a user's text."""
