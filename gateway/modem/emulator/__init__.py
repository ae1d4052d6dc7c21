"""Public test equipment: a GSM modem that speaks AT on a pseudo-terminal, faults to order."""
