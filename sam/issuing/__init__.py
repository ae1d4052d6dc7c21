"""Sam's decision, sans-I/O: registry, replay window, policy, issue."""
