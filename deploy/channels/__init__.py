"""A gateway to copy: it connects a made-up app to Chorus with signed webhooks, in both directions."""
