"""The rules: one file for each capability. A rule maps a case and an input to facts, or refuses the input."""
