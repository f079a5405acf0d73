"""The frame of all pages; each service has its own templates."""
