"""Passwords and certificates, as files."""
