"""Commands that call the desk: status, apply, triage, case, timeline, user, login, dead-letters, reconcile."""
