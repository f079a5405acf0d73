"""The local stack: Kafka, store, SMTP server and the four services as supervised processes on one machine."""
