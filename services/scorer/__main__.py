"""Runs the scorer: `python -m services.scorer`."""

from services.scorer.app import make
from shared.service.service import main

if __name__ == "__main__":
    main(make)
