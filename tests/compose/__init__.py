"""docker-compose.yml as read by tests, and `make compose-test`, which runs it on a container engine."""
