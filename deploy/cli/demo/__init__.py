"""`chorus demo`: residents and departments of a made-up day, checked from outside."""
