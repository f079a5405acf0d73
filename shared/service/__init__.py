"""What makes a process a service: wiring, readiness, the city's feed, decoders of the core's messages."""
