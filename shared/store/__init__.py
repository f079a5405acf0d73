"""MongoDB: the one module that imports its driver, and leases on documents that are due."""
