"""The environment of a chaos run: a stack, residents, departments, the desk, and the faults."""
