"""The facts on `inquiries.events` as their readers see them: one frozen class per event type."""
