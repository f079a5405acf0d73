"""Events of `inquiries.events` as the scorer and the notifier read them: one frozen class for each type."""
