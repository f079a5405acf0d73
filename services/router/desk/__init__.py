"""The desk: cases as staff see them, commands for cases, and changes of the city."""
