"""Writes the pinned list of Kafka's jars: `python -m deploy.local.pin 4.1.1 > deploy/local/kafka-jars.json`."""

import hashlib
import json
import sys
import tempfile
from pathlib import Path

LOGGING = ("org.apache.logging.log4j", "log4j-slf4j-impl")


def pin(version: str, work: Path) -> dict[str, str]:
    """Resolve Kafka of this version, then log4j-slf4j-impl in log4j-core's version; returns SHA-256 by coordinate.

    They are resolved separately: together, the dependency management of log4j-slf4j-impl selects an older kafka-clients.
    """
    from jgo.env import EnvironmentBuilder, LinkStrategy
    from jgo.maven import MavenContext, PythonResolver

    repository = work / "repository"
    context = MavenContext(resolver=PythonResolver(), repo_cache=repository)
    builder = EnvironmentBuilder(context=context, link_strategy=LinkStrategy.HARD, cache_dir=work / "environments")
    environment = builder.from_endpoint(f"org.apache.kafka:kafka_2.13:{version}")
    used = {jar.name for jar in Path(environment.path).rglob("*.jar")}
    jars = [jar for jar in repository.rglob("*.jar") if jar.name in used]
    log4j = next(jar.parent.name for jar in jars if jar.name.startswith("log4j-core-"))
    jars.append(context.project(*LOGGING).at_version(log4j).artifact().resolve())
    return dict(sorted((_coordinate(jar, repository), hashlib.sha256(jar.read_bytes()).hexdigest()) for jar in jars))


def _coordinate(jar: Path, repository: Path) -> str:
    *group, artifact, version, _ = jar.relative_to(repository).parts
    return f"{'.'.join(group)}:{artifact}:{version}"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps({"kafka": sys.argv[1], "jars": pin(sys.argv[1], Path(folder))}, indent=1))
