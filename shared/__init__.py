"""Code that the four services share: contracts, delivery, storage, HTTP. Nothing here imports a service."""
