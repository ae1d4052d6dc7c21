"""Pages in a browser: the operator's console and the two-phone page, on one guarded web server."""
