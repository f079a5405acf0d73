"""The desk: what operators see and do."""
