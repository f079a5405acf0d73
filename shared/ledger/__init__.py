"""The ledger of an entry point: it stores what it accepts before it publishes it in order."""
