"""MongoDB: the one module that imports its driver, login, leases on due documents, tombstones."""
