"""Masks personal data in public texts. Rules and a lexical model find what identifies a person.

`masking` masks the texts of one case; `worker` runs it in a separate process. Each other module finds one kind of data.
"""
