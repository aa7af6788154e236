"""The page of a profile: what it shows, put together here, and how it looks, in template and style sheet."""
