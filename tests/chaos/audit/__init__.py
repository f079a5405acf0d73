"""The auditor: checks the captured data of a run. It imports nothing from the product."""
