"""`chorus import`: reads a file of messages and sends each row to intake once."""
