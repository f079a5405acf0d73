"""Runs the router: `python -m services.router`."""

from services.router.app import make
from shared.service.service import main

if __name__ == "__main__":
    main(make)
