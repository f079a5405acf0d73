"""The channels by which the notifier reaches people: e-mail."""
