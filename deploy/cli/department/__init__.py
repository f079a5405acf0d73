"""`chorus department` and `chorus inbox`: the directory, and a department's two topics."""
