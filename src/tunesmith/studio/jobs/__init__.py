"""Jobs: long work in processes of their own, which outlive the page, the session and the server."""
