"""The messages that follow from facts."""
