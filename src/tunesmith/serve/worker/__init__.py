"""Engines in processes of their own, so that what brings one down brings nothing else down."""
