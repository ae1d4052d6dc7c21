"""The SIM side: keyring, exchanges and the terminal phone."""
