"""What the four services share: words, wiring, delivery. Nothing here imports a service."""
