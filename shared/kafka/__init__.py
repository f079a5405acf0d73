"""Kafka: topics, records, one producer for each process, and subscriptions that lose no record."""
