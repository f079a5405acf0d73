"""Dead letters of all services: an index of them, replays and discards."""
