"""Commands that run or prepare a cluster: up, provision, secrets."""
