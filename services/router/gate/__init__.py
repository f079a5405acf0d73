"""The gate: departments' outboxes onto the log."""
