"""Mails of residents: the SMTP listener, what a mail says, whether its sender is proven, and what becomes of it."""
