"""Dead letters of all services: an index, replays, discards."""
