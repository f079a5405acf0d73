"""Staff users of the desk: their tokens, what each role may do, and the audit of every change to a user."""
