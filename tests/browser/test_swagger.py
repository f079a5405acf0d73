"""Swagger UI in a real browser: lists every operation and loads nothing from other hosts."""

from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import NEEDS_CHROMIUM, eventually, served
from tests.contract.test_flow import APPS, made

pytestmark = NEEDS_CHROMIUM

OPERATIONS = """
return [...document.querySelectorAll('.opblock')].map(one =>
  one.querySelector('.opblock-summary-method').textContent + ' ' +
  one.querySelector('.opblock-summary-path').dataset.path);
"""
LOADED = "return performance.getEntriesByType('resource').map(one => one.name);"


@pytest.mark.parametrize("name", sorted(APPS))
def test_swagger_ui_lists_every_operation_and_loads_nothing_from_elsewhere(
    browser: Any, tmp_path: Path, name: str
) -> None:
    service = made(name, tmp_path)
    expected = {
        f"{method.upper()} {path}" for path, methods in service.app.openapi()["paths"].items() for method in methods
    }
    with served(service.app) as address:
        browser.get(f"{address}/docs")
        eventually(browser, lambda: len(browser.execute_script(OPERATIONS)) >= len(expected))
        assert set(browser.execute_script(OPERATIONS)) == expected
        assert browser.save_screenshot(str(tmp_path / "docs.png"))
        browser.find_element("css selector", ".opblock-summary").click()
        eventually(browser, lambda: browser.find_elements("css selector", ".responses-table"))
        loaded = browser.execute_script(LOADED)
        assert {f"{address}/openapi.json", f"{address}/static/docs.js"} <= set(loaded)
        assert all(one.startswith((f"{address}/", "data:")) for one in loaded)
        assert [line["message"] for line in browser.get_log("browser")] == []


def test_the_content_security_policy_blocks_other_scripts(browser: Any, tmp_path: Path) -> None:
    with served(made("scorer", tmp_path).app) as address:
        browser.get(f"{address}/docs")
        browser.execute_script(
            "const one = document.createElement('script'); one.textContent = 'window.ran = true'; document.body.append(one);"
        )
        assert browser.execute_script("return window.ran === undefined")
        assert "Content Security Policy" in browser.get_log("browser")[-1]["message"]
