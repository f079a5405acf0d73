"""The router's collections in MongoDB."""
