"""An erasure that is killed between any two writes, and run again, leaves the same as one that was not."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

import pytest

from services.intake.erasure import erase as erase_at_intake
from services.intake.store import IntakeStore
from services.notifier.erasure import erase as erase_at_the_notifier
from services.notifier.store import NotifierStore
from services.router.dead_letters.index import DeadLetterIndex
from services.router.erasure import erase as erase_at_the_router
from services.router.stores.store import RouterStore
from services.scorer.erasure import erase as erase_at_the_scorer
from services.scorer.store import ScorerStore
from shared.ledger.ledger import Ledger
from shared.runtime.settings import Settings
from shared.store.mongo import Database
from tests.component import file_services
from tests.component.erasing import SERVICES, Services, all_services, tell_everything
from tests.component.killing import Countdown, Killed, killing
from tests.component.marks import left, stored
from tests.mailing import KEYS

WRITES_MAX = 100


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[Services]:
    async with all_services(settings) as one:
        await tell_everything(one)
        yield one


async def erase(service: str, database: Database, one: Services, through: int) -> None:
    """What this service does when it reads of the erasure, as a process that has just started."""
    if service == "intake":
        files = file_services.of_intake(database, one.folder)
        await erase_at_intake(IntakeStore(database), Ledger(database, "ledger"), one.inquiry_id, through, files)
    elif service == "router":
        letters = DeadLetterIndex(database, one.letters.kafka, (one.letters_of,))
        commands, desk_files = Ledger(database, "commands"), file_services.of_desk(database, one.folder)
        await erase_at_the_router(RouterStore(database), commands, letters, one.inquiry_id, through, desk_files)
    elif service == "notifier":
        await erase_at_the_notifier(NotifierStore(database, KEYS), one.inquiry_id, through)
    else:
        await erase_at_the_scorer(ScorerStore(database), one.inquiry_id, through)


async def without_times(database: Database, service: str) -> dict[str, list[Any]]:
    """The collections with documents; without when the index is to follow, which is some time after the erasure."""
    found = {name: some for name, some in (await stored({service: database})).items() if some}
    for one in found.get("router.search_pending", []):
        del one["due_at"]
    return found


async def restore(database: Database, documents: Mapping[str, list[Any]], folder: Path, copy: Path) -> None:
    rmtree(folder)
    copytree(copy, folder)
    for name in await database.list_collection_names():
        await database[name].delete_many({})
    for name, some in documents.items():
        if some:
            await database[name].insert_many(some)


async def test_a_killed_erasure_run_again_leaves_the_same_as_one_that_ran_through(
    services: Services, tmp_path: Path
) -> None:
    through = len(await services.router.decisions.of(services.inquiry_id)) + 1
    before = await stored(services.databases)
    copytree(services.folder, tmp_path / "files")
    for service in SERVICES:
        database = services.databases[service]
        whole = {name.partition(".")[2]: some for name, some in before.items() if name.startswith(f"{service}.")}
        await erase(service, database, services, through)
        assert left(await stored({service: database}), services.mark) == {}
        after = await without_times(database, service)
        for writes in range(WRITES_MAX):
            await restore(database, whole, services.folder, tmp_path / "files")
            try:
                await erase(service, killing(database, Countdown(writes)), services, through)
            except Killed:
                await erase(service, database, services, through)
                assert await without_times(database, service) == after, f"{service}, killed after {writes} writes"
            else:
                break
        else:
            pytest.fail(f"the erasure at the {service} makes more than {WRITES_MAX} writes")
