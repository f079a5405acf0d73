"""`chorus demo`: simulated residents and departments, and a check that no message is lost or duplicated."""
