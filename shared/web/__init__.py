"""The frame of all pages; each service keeps its own templates."""
