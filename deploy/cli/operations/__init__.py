"""Commands of operators: status, triage, timeline, dead letters, reconciliation, applying a city."""
