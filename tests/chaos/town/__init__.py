"""The town: a stack of its own, residents, departments, the desk, and whoever strikes."""
