"""The gateways of channels: who they are, and the signatures by which both sides recognise each other."""
