"""docker-compose.yml for the tests, and `make compose-test`, which starts it on a real engine."""
