"""Stories, one file a rule."""
