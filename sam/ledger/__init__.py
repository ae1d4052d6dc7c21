"""Money as Sam sees it: loads, the logs of the phones, and whether they fit together."""
