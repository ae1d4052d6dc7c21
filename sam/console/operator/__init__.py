"""The operator's console: how Sam is, who is enrolled, what was issued, and what can be done."""
