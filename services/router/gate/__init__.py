"""The gate: reads departments' outboxes and appends valid messages to `inquiries.inputs`."""
