"""Commands for operators: status, apply, triage, timeline, dead-letters, reconcile."""
