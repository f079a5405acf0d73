"""The rules of the notifier without I/O: which mails to send, what the hall shows, how it masks personal data."""
