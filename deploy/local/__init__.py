"""The local stack: broker, store, mail sink and the four services as supervised processes of one machine."""
