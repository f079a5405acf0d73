"""Kafka as its admin sees it: topics, users, rights, quotas."""
