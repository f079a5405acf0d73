"""The core: one decision for each input of the log."""
