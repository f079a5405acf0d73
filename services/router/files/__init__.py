"""Files at the router: those of residents, which departments read, and those that departments send."""
