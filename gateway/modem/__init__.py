"""GSM modems on serial ports, several of them one carrier."""
