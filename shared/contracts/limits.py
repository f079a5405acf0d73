"""The limits of messages, in characters and departments; intake, gate and desk enforce the same ones."""

SUBJECT_MAX = 200
BODY_MAX = 20_000
TEXT_MAX = 20_000
DEPARTMENTS_MAX = 20
