"""The augmenters that come with Tunesmith; what one is, `data.augmenting` says."""
