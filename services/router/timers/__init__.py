"""Timers: an entry point. Appends `timer.rang` to `inquiries.inputs` when a timer of a case is due."""
