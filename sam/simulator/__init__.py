"""A stage with a real Sam, a real network and real phones on it, moved and watched by lines."""
