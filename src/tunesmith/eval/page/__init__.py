"""The page of a report: what it shows, computed here, and how it looks, in its template and style sheet."""
