"""Full-text search: how texts and queries are compared, and who may find which text."""
