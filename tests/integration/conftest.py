"""Fixtures for tests that kill services."""

import pytest

from tests.backing import Backing
from tests.integration.bench import Bench, set_up


@pytest.fixture(scope="module")
def bench(running: Backing, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Topics, secrets and a city on the run's broker and store."""
    return set_up(running, tmp_path_factory.mktemp("crashes"))
