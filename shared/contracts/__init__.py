"""Message contracts: envelope, ids, limits, and a class for every message and fact on a topic."""
