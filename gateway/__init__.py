"""Carriers: how messages reach phones. Knows nothing of keys or tickets."""
