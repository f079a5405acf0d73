"""Stories for each rule, one file a rule."""
