"""X-Forwarded-For of a real proxy is used only if CHORUS_TRUSTED_PROXIES names the proxy."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from deploy.local.ports import Ports
from tests.backing import Backing
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.integration
REPOSITORY = Path(__file__).parents[2]
LETTER = {"subject": "路灯不亮", "body": "门口的路灯坏了三天。"}
MOST = 2


@contextmanager
def intake(running: Backing, folder: Path, trusted: str) -> Iterator[str]:
    secret = folder / "secret"
    secret.write_text("a secret that is long enough to be one")
    address = f"127.0.0.1:{Ports.free().intake}"
    env = {name: value for name, value in os.environ.items() if not name.startswith("CHORUS_")} | {
        "CHORUS_HTTP": address,
        "CHORUS_KAFKA": running.kafka,
        "CHORUS_MONGODB": running.mongodb,
        "CHORUS_SECRET_FILE": str(secret),
        "CHORUS_OPERATOR_TOKEN_FILE": str(secret),
        "CHORUS_SUBMISSIONS_PER_MINUTE": str(MOST),
        "CHORUS_TRUSTED_PROXIES": trusted,
        "PYTHONPATH": str(REPOSITORY),
    }
    process = subprocess.Popen([sys.executable, "-m", "services.intake"], env=env, cwd=REPOSITORY)
    try:
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                if httpx.get(f"http://{address}/healthz").is_success:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
            assert time.monotonic() < until, "intake did not come up"
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


@pytest.mark.parametrize(
    ("trusted", "answers"), [("127.0.0.1", [202] * 4), ("*", [202] * 4), ("", [202, 202, 429, 429])]
)
def test_x_forwarded_for_is_used_only_from_a_trusted_proxy(
    running: Backing, tmp_path: Path, trusted: str, answers: list[int]
) -> None:
    with intake(running, tmp_path, trusted) as url:
        seen = [
            httpx.post(
                f"{url}/inquiries", json=LETTER, headers={"X-Forwarded-For": f"198.51.100.{n}"}, timeout=PATIENCE_S
            ).status_code
            for n in range(4)
        ]
    assert seen == answers
