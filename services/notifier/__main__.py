"""Runs the notifier: `python -m services.notifier`."""

from services.notifier.app import make
from shared.service.service import main

if __name__ == "__main__":
    main(make)
