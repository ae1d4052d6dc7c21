"""Sam: the protocol, the handset and the server. The only room that knows the other two."""
