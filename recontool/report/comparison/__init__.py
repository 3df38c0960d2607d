"""A comparison of two runs on the terminal, as JSON, as markdown and as a page."""
