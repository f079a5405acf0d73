"""The auditor: what was captured of a run, and what is wrong with it. Imports nothing of the system that it judges."""
