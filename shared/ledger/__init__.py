"""What an entry point has accepted: written first, then published in order."""
