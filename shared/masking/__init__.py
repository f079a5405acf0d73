"""What the public may not see of a message: what leads to a person is found by rules and by a lexical model, and hidden.

`masking` masks the texts of one case; `worker` does so in a process of its own. The rest finds one kind each.
"""
