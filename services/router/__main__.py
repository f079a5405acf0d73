"""`python -m services.router` runs the router."""

from services.router.app import make
from shared.service.service import main

if __name__ == "__main__":
    main(make)
