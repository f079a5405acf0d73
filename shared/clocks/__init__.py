"""Clocks: due times and verdicts."""
