"""`chorus provision`: every topic of a city, on its Kafka; the one command of operators that speaks Kafka itself."""

import asyncio
import logging
from pathlib import Path
from typing import Annotated

import typer
from aiokafka.errors import KafkaConnectionError, KafkaError, NodeNotReadyError
from pydantic import ValidationError

from deploy.command.console import AWAY, REFUSED, USAGE, Failure, emit, say, stack
from deploy.local.city import city_folder, read_city
from deploy.provisioning import provision as make_missing
from shared.settings import Settings
from shared.topics import department_topics, system_topics


def provision(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="The city folder ($CHORUS_CITY, else the sample city).")
    ] = None,
) -> None:
    """Make the topics that are missing: the system's, and two for each department; safe to repeat.

    Topics that are there stay as they are, also with other settings than those that a new one would get.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        wrong = error.errors()[0]
        name = "_".join(("CHORUS", *map(str, wrong["loc"]))).upper()
        raise Failure(USAGE, f"The setting {name} is wrong: {wrong['msg']}, not {wrong['input']!r}.") from error
    codes = [department.code for department in read_city(folder or city_folder()).active]
    kafka = stack().kafka
    made = sorted(_made(kafka, codes))
    wanted = (
        *system_topics(settings.partitions, settings.retention_days),
        *department_topics(codes, settings.retention_days),
    )
    for name in made:
        say(f"made {name}")
    say(f"{len(made)} topics made on {kafka!r}, {len(wanted) - len(made)} were there.")
    emit({"kafka": kafka, "departments": len(codes), "made": made, "existing": len(wanted) - len(made)})


def _made(kafka: str, codes: list[str]) -> list[str]:
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it would print, the sentence says
    try:
        return asyncio.run(make_missing(kafka, codes))
    except (KafkaConnectionError, NodeNotReadyError, OSError, TimeoutError) as error:
        raise Failure(AWAY, f"No Kafka answers at {kafka!r}: does it run, and is CHORUS_KAFKA right?") from error
    except KafkaError as error:
        raise Failure(REFUSED, f"Kafka at {kafka!r} refused: {error}") from error
