"""A recipe as a whole, stage by stage: the only part that knows all the others."""
