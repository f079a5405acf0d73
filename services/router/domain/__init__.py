"""The pure heart of the router: what a case is, what follows from an input, and who is told in which words."""
