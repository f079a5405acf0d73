"""Prometheus, Alertmanager and Grafana use existing metrics only, and every alert has a runbook section."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from shared.contracts.sources import SERVICES
from shared.runtime import metrics

REPOSITORY = Path(__file__).parents[2]
DEPLOY = REPOSITORY / "deploy"
OPERATIONS = (REPOSITORY / "docs" / "operations.md").read_text("utf-8")
# Shown on the dashboard, without an alert: no value of it is an error.
SHOWN_ONLY = {"chorus_joint_replies_total"}


def catalogue() -> dict[str, set[str]]:
    """The labels of every metric, by its name in Prometheus."""
    known = {}
    for one in vars(metrics).values():
        if isinstance(one, MetricWrapperBase):
            (family,) = one.describe()
            known[family.name + ("_total" if family.type == "counter" else "")] = set(one._labelnames)
    return known


def named(expression: str) -> set[str]:
    """The product's metrics in an expression."""
    return set(re.findall(r"\bchorus_\w+", expression))


def selected(expression: str) -> set[tuple[str, str]]:
    """Pairs of metric and label that an expression selects by."""
    found = re.findall(r"\b(chorus_\w+)\{([^}]*)\}", expression)
    return {(metric, label) for metric, inside in found for label in re.findall(r"(\w+)\s*[=!]", inside)}


def rules() -> list[dict[str, Any]]:
    return [rule for group in read("prometheus/alerts.yml")["groups"] for rule in group["rules"]]


def read(path: str) -> Any:
    return yaml.safe_load((DEPLOY / path).read_text("utf-8"))


def dashboard() -> list[str]:
    panels = json.loads((DEPLOY / "grafana" / "dashboards" / "chorus.json").read_text("utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def anchors() -> set[str]:
    headings = re.findall(r"^#+ (.+)$", OPERATIONS, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_uses_existing_metrics_and_links_its_runbook(rule: dict[str, Any]) -> None:
    known = catalogue()
    assert named(rule["expr"]) <= known.keys()
    assert all(label in known[metric] for metric, label in selected(rule["expr"]))
    # `up` is Prometheus' own metric, so it is not in the catalogue.
    assert named(rule["expr"]) or re.search(r"\bup\{", rule["expr"])
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"].endswith(".")
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert page == "docs/operations.md"
    assert anchor == rule["alert"].lower()
    assert anchor in anchors()


def test_a_spare_replica_raises_no_alert() -> None:
    """A process without partitions finishes no batch, so its own timestamp must not raise an alert."""
    finished = "chorus_last_processed_timestamp_seconds"
    expressions = [rule["expr"] for rule in rules() if finished in named(rule["expr"])]
    assert expressions
    for one in expressions:
        assert one.count(finished) == one.count(f"max by (service) ({finished})")


def test_the_runbook_has_one_section_for_each_alert() -> None:
    names = [rule["alert"] for rule in rules()]
    assert sorted(names) == sorted(re.findall(r"^### (Chorus\w+)$", OPERATIONS, re.MULTILINE))


def test_every_metric_has_an_alert() -> None:
    alerted = set().union(*(named(rule["expr"]) for rule in rules()))
    assert catalogue().keys() - alerted == SHOWN_ONLY


def test_the_dashboard_shows_exactly_the_metrics_of_the_catalogue() -> None:
    known = catalogue()
    assert set().union(*map(named, dashboard())) == known.keys(), "add a panel to deploy/grafana/dashboards/chorus.json"
    assert all(label in known[metric] for one in dashboard() for metric, label in selected(one))


def test_prometheus_scrapes_all_replicas_of_the_four_services() -> None:
    told = read("prometheus/prometheus.yml")
    asked = {job["job_name"]: job["dns_sd_configs"] for job in told["scrape_configs"]}
    assert asked.keys() == set(SERVICES)
    for name, [found] in asked.items():
        assert (found["names"], found["type"], found["port"]) == ([name], "A", 8000)
    assert told["rule_files"] == ["/etc/prometheus/alerts.yml"]


def test_every_alert_route_has_a_receiver() -> None:
    told = read("alertmanager/alertmanager.yml")
    receivers = {one["name"] for one in told["receivers"] if one.get("email_configs")}
    assert {told["route"]["receiver"], *(one["receiver"] for one in told["route"]["routes"])} <= receivers
    names = {rule["alert"] for rule in rules()}
    for inhibited in told["inhibit_rules"]:
        quoted = re.findall(r'alertname="(\w+)"', " ".join(inhibited["source_matchers"]))
        assert quoted
        assert set(quoted) <= names


GIVEN = {
    "SMTP": "mail.city.example:25",
    "SMTP_TLS": "true",
    "MAIL_FROM": "Chorus & Co <chorus@city.example>",
    "ALERTS_TO": "a|b\\c@city.example",
}


def started(folder: Path, given: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run start.sh with a fake `alertmanager` that prints its arguments."""
    program = folder / "alertmanager"
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    script = (DEPLOY / "alertmanager" / "start.sh").read_text("utf-8")
    # Replace /tmp first: the repository itself may be below /tmp.
    here = script.replace("/tmp", str(folder)).replace("/etc/alertmanager", str(DEPLOY / "alertmanager"))
    env = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", **given}
    return subprocess.run(["sh", "-c", here, "sh", "--x=1"], env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("tls", ["true", "false"])
def test_alertmanager_starts_with_the_settings_of_compose(tls: str, tmp_path: Path) -> None:
    done = started(tmp_path, GIVEN | {"SMTP_TLS": tls})
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [f"--config.file={tmp_path}/alertmanager.yml", "--x=1"]
    made = yaml.safe_load((tmp_path / "alertmanager.yml").read_text("utf-8"))
    assert made["global"] == {
        "smtp_smarthost": GIVEN["SMTP"],
        "smtp_from": GIVEN["MAIL_FROM"],
        "smtp_require_tls": tls == "true",
    }
    assert made["receivers"][0]["email_configs"][0]["to"] == GIVEN["ALERTS_TO"]


@pytest.mark.parametrize(("setting", "value"), [("ALERTS_TO", ""), ("SMTP_TLS", "no")])
def test_alertmanager_does_not_start_with_a_missing_or_invalid_setting(
    setting: str, value: str, tmp_path: Path
) -> None:
    done = started(tmp_path, GIVEN | {setting: value})
    assert done.returncode != 0
    assert "in .env" in done.stderr
    assert not (tmp_path / "alertmanager.yml").exists()


def test_compose_passes_alertmanager_its_settings_with_tls_by_default() -> None:
    told = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text("utf-8"))["services"]["alertmanager"]
    assert told["environment"] == {
        "SMTP": "${CHORUS_SMTP}",
        "SMTP_TLS": "${CHORUS_ALERTS_TLS:-true}",
        "MAIL_FROM": "${CHORUS_MAIL_FROM:-chorus@city.example}",
        "ALERTS_TO": "${CHORUS_ALERTS_TO:-}",
    }


def test_grafana_finds_prometheus_and_its_dashboard() -> None:
    (source,) = read("grafana/provisioning/datasources/prometheus.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = read("grafana/provisioning/dashboards/chorus.yml")["providers"]
    compose = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text("utf-8"))
    mounted = {one.split(":")[1]: one.split(":")[0] for one in compose["services"]["grafana"]["volumes"]}
    assert (REPOSITORY / mounted[provider["options"]["path"]] / "chorus.json").is_file()
    used = json.loads((DEPLOY / "grafana" / "dashboards" / "chorus.json").read_text("utf-8"))["panels"]
    assert {one["datasource"]["uid"] for one in used if "datasource" in one} == {source["uid"]}
