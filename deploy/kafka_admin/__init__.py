"""Kafka administration: topics, users, ACLs and quotas."""
