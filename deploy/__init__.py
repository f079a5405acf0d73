"""Deployment: the `chorus` command, the local stack, Kafka provisioning, secrets, and the files that containers mount."""
