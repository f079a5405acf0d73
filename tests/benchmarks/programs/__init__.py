"""The contenders: each a program of its own, so that none runs in a process that another one has warmed or worn."""
