"""USSD from a core network: an entity of Osmocom's HLR, by GSUP."""
