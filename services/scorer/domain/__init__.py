"""What the scorer computes: pure functions of events and of the moment they are asked for."""
