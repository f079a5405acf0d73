"""Passwords and certificates, stored as files."""
