"""Jinja templates of the pages; what they are given is escaped."""
