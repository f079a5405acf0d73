"""The desk: operators' view of cases, commands for cases, and changes of the city."""
