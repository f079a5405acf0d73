"""Chaos tests: processes are killed, frozen and disconnected under load, then an independent auditor checks the result."""
