"""Fixtures for browser tests: Chromium, and an app served over HTTP."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

webdriver = pytest.importorskip("selenium.webdriver", reason="the pages are not looked at: selenium is not installed")

waiting = pytest.importorskip("selenium.webdriver.support.wait")

SHOWN_S = 20
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
NEEDS_CHROMIUM = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER), reason="the pages are not looked at: chromium and chromedriver are not installed"
    ),
]


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The address of the served app, without its background tasks."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@contextmanager
def chromium(profile: Path) -> Iterator[Any]:
    """Headless Chromium with an empty profile and no access to other hosts."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    flags = "headless disable-gpu disable-quic no-first-run disable-background-networking disable-component-update"
    for flag in (*flags.split(), "disable-sync", "hide-scrollbars", f"user-data-dir={profile}"):
        options.add_argument(f"--{flag}")
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
    try:
        yield driver
    finally:
        driver.quit()


def eventually(browser: Any, seen: Callable[[], object]) -> None:
    """Wait until a script of the page returns true; raises TimeoutException."""
    waiting.WebDriverWait(browser, SHOWN_S).until(lambda _: seen())
