"""Commands that install and run Chorus: up, provision, secrets."""
