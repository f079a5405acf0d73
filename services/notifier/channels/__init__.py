"""The ways in which the notifier reaches people."""
