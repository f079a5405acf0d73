"""What the notifier decides: pure functions, plain values in, plain values out."""
