"""Whether a handset does what the specification says: a door for its maker's program."""
