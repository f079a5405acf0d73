"""The rules: one file a capability, each function from a case and an input to facts."""
