"""The steps of a run, with the commands of docs/operations.md and checks of their effects."""

import os
import signal
from collections.abc import Callable
from functools import partial

import httpx
import yaml

from shared.contracts.sources import SERVICES
from tests.compose import digests, people
from tests.compose.people import Ticket
from tests.compose.stack import VERSION, Broken, Stack, eventually, first_day

RESTARTED_S, SCRAPED_S, MAILED_S, READY_S = 60, 60, 90, 30
NEW_RULE = {"alert": "ChorusComposeTest", "expr": "vector(0) > 1", "labels": {"severity": "ticket"}}
ALERT = "ComposeTest"
READY = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"
SCALED = ("router", "notifier")
UPGRADE = (
    "docker compose build intake",
    "docker compose up -d --no-deps scorer notifier intake",
    "docker compose up -d",
)
DOWN_AND_UP = ("docker compose down", "docker compose up -d")
RECONCILE = "docker compose run --rm chorus reconcile --dry-run"


class Steps:
    """The steps in order, and the tickets shared between them."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.tickets: list[Ticket] = []

    def all(self) -> dict[str, Callable[[], None]]:
        """Every step by name; the others need the first two."""
        return {
            "installation, as in docs/operations.md": self.first_day,
            "every container healthy": self.stack.await_healthy,
            "a message answered from outside, over TLS": partial(self.message, "first"),
            "every target scraped, every rule loaded": self.monitored,
            "an alert and a reply mailed without STARTTLS": self.mailed,
            "each container killed and restarted": self.killed,
            "two routers and two notifiers healthy": self.scaled,
            "an upgrade takes changed files into use": self.upgraded,
            "down and up with data kept": self.down_and_up,
            "nothing to reconcile": self.reconciled,
        }

    def first_day(self) -> None:
        if os.geteuid() == 0:
            self.stack.type("chown -R 10001:10001 deploy/secrets")
        for command in first_day()[1]:
            self.stack.type(command)
        # Alertmanager groups alerts for 30 s before it mails them; the next steps run meanwhile.
        alert = {"labels": {"alertname": ALERT, "severity": "page", "service": "none"}}
        address = f"{self.stack.url('alertmanager')}/api/v2/alerts"
        httpx.post(address, json=[alert], timeout=10, trust_env=False).raise_for_status()

    def message(self, name: str) -> None:
        ticket = people.write(self.stack, f"{name}@residents.city.example")
        self.tickets.append(ticket)
        people.answer(self.stack, ticket)

    def monitored(self) -> None:
        eventually("every target is up", self._scraped, SCRAPED_S)
        wanted = _rules(self.stack)
        if self._loaded() != wanted:
            raise Broken(f"Prometheus has the rules {sorted(self._loaded())}, not {sorted(wanted)}")

    def _scraped(self) -> bool:
        targets = self.stack.from_inside("prometheus", "http://127.0.0.1:9090/api/v1/targets")["data"]["activeTargets"]
        up = {one["labels"]["job"] for one in targets if one["health"] == "up"}
        return up == set(SERVICES) and all(one["health"] == "up" for one in targets)

    def _loaded(self) -> set[str]:
        told = self.stack.from_inside("prometheus", "http://127.0.0.1:9090/api/v1/rules")["data"]["groups"]
        rules = [rule for group in told for rule in group["rules"]]
        if bad := [rule["name"] for rule in rules if rule["health"] == "err"]:
            raise Broken(f"rules that Prometheus cannot evaluate: {bad}")
        return {rule["name"] for rule in rules}

    def mailed(self) -> None:
        resident = self.tickets[0].email
        eventually("the reply is mailed", partial(people.mailed, self.stack, f"To: {resident}"), MAILED_S)
        eventually("the alert is mailed", partial(people.mailed, self.stack, "Subject: ", ALERT), MAILED_S)

    def killed(self) -> None:
        for one in self.stack.containers():
            if one["State"] == "running" and one["Service"] != "mail":
                self._kill(one["Name"])
        self.stack.await_healthy()
        self.message("after-the-kills")

    def _kill(self, container: str) -> None:
        before = self.stack.inspect(container, ".State.StartedAt")
        process = int(self.stack.inspect(container, ".State.Pid"))
        if self.stack.engine.own:
            os.kill(process, signal.SIGKILL)
        else:
            # The engine may run in a virtual machine, and its processes belong to root.
            kill = f"import os; os.kill({process}, {int(signal.SIGKILL)})"
            self.stack.type(
                f"docker run --rm --pid host --user 0 --cap-add KILL --entrypoint python chorus:{VERSION} -c '{kill}'"
            )
        eventually(
            f"{container} is back",
            lambda: (
                self.stack.inspect(container, ".State.StartedAt") != before
                and self.stack.inspect(container, ".State.Running") == "true"
            ),
            RESTARTED_S,
        )

    def scaled(self) -> None:
        """Two replicas remain for the upgrade; if they do not become healthy, return to one."""
        replicas = {f"CHORUS_{service.upper()}_REPLICAS": "2" for service in SCALED}
        self.stack.set(**replicas)
        try:
            self.stack.type("docker compose up -d")
            self.stack.await_healthy()
        except Broken:
            self.stack.set(**dict.fromkeys(replicas))
            self.stack.type("docker compose up -d")
            raise
        names = [one["Name"] for one in self.stack.containers() if one["Service"] in SCALED]
        if len(names) != 2 * len(SCALED):
            raise Broken(f"there are not two of {' and '.join(SCALED)}: {sorted(names)}")
        self.message("with-two-of-each")
        # Compose may still report the state from before the rebalance.
        for name in names:
            eventually(f"{name} is ready", partial(self.stack.type, f'docker exec {name} python -c "{READY}"'), READY_S)

    def upgraded(self) -> None:
        """Upgrade to a version with a new alert rule and a changed HAProxy configuration."""
        rules = self.stack.folder / "deploy" / "prometheus" / "alerts.yml"
        told = yaml.safe_load(rules.read_text("utf-8"))
        told["groups"][0]["rules"].append(NEW_RULE)
        rules.write_text(yaml.safe_dump(told, allow_unicode=True, sort_keys=False))
        with (self.stack.folder / "deploy" / "haproxy" / "haproxy.cfg").open("a") as configuration:
            configuration.write("\n# The next version.\n")
        if (changed := digests.write(self.stack.folder)) != ["haproxy", "prometheus"]:
            raise Broken(f"the labels of {changed} changed, not those of haproxy and prometheus")
        self.stack.set(CHORUS_VERSION=f"{VERSION}-next")
        before = self._ids()
        for command in UPGRADE:
            self.stack.type(command)
        self.stack.await_healthy()
        recreated = {name for name, known in self._ids().items() if not known & before[name]}
        if recreated != (wanted := {*SERVICES, "haproxy", "prometheus"}):
            raise Broken(f"the upgrade recreated {sorted(recreated)}, not {sorted(wanted)}")
        eventually("the new rule is loaded", lambda: NEW_RULE["alert"] in self._loaded(), SCRAPED_S)
        if "# The next version." not in self.stack.type("docker compose exec -T haproxy cat /haproxy.cfg"):
            raise Broken("HAProxy still has the configuration from before the upgrade")
        self.message("after-the-upgrade")

    def _ids(self) -> dict[str, set[str]]:
        running = [one for one in self.stack.containers() if one["State"] == "running"]
        return {
            name: {one["ID"] for one in running if one["Service"] == name} for name in {x["Service"] for x in running}
        }

    def down_and_up(self) -> None:
        for command in DOWN_AND_UP:
            self.stack.type(command)
        self.stack.await_healthy()
        lost = [ticket.number for ticket in self.tickets if not people.answered(self.stack, ticket)]
        if lost:
            raise Broken(f"the replies to {lost} are lost")
        self.message("after-down-and-up")

    def reconciled(self) -> None:
        self.stack.type(RECONCILE)


def _rules(stack: Stack) -> set[str]:
    told = yaml.safe_load((stack.folder / "deploy" / "prometheus" / "alerts.yml").read_text("utf-8"))
    return {rule.get("alert", rule.get("record")) for group in told["groups"] for rule in group["rules"]}
