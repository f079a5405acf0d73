"""The messages that departments, residents and readers of events receive for a decision."""
