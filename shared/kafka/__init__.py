"""Kafka: topics, records, one producer, subscriptions that lose nothing."""
