"""The `chorus` command, one module for each command or group."""
