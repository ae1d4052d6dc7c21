"""The protocol, sans-I/O: parties, keys, messages, tickets and codes."""
