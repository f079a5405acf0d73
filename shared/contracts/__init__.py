"""What crosses a topic: envelope, ids, limits, and every message and fact as a class."""
