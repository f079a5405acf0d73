"""Runs intake: `python -m services.intake`."""

from services.intake.app import make
from shared.service.service import main

if __name__ == "__main__":
    main(make)
