"""Serving: engines that compute tokens, and the HTTP API above them (OpenAI's routes and the tasks' own)."""
