"""A town under blows: parts of the system are killed while people write, and an auditor who shares no code with it counts."""
