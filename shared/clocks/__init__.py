"""Clocks: when each is due, and its verdict."""
