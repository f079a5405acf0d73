"""Any order of inputs: what many actors may send to a case, and what must hold after each step."""
