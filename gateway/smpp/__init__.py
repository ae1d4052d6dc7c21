"""SMPP 3.4 binds to operators' message centres: an ESME on Twisted."""
