"""How fast Chorus is, side by side with others at the same job: `make bench`."""
