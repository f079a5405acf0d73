"""The contenders, each a separate program, so that none affects another's process."""
