"""The rules of the router without I/O: state of a case, decisions, messages that follow from them."""
