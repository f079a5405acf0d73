"""The `chorus` command: one module a group of commands."""
