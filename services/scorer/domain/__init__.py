"""The rules of the scorer without I/O: clocks, periods and scores, computed from events up to a given time."""
