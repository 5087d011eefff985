"""`/replay` as the emergency team uses it: find the drill, play it, note something, and be unable to act from the past."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator

import pytest
from page_driver import open_tab
from served_park import Served, build_park, serving, until

from tools.browser import chromium

pw = pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.browser,
              pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine")]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("replay-page")
    (root / "made").mkdir()
    with serving(build_park(root / "made"), root / "park") as running:
        yield running


def test_a_drill_is_found_played_noted_and_cannot_be_acted_on(served: Served) -> None:
    browser = served.browser()
    assert browser.post("/api/v1/drills/fire/start").status_code == 200
    until(lambda: browser.http.get("/api/v1/alarms").json(), 60, "the fire raises an alarm")
    time.sleep(3)  # what is younger than two seconds is not replayed yet
    with chromium() as window:
        tab = open_tab(window, served).open("/replay")
        page = tab.page
        page.locator(".moments li button", has_text="Fire in A3").first.click()
        page.locator(".tracks .bar").first.wait_for(timeout=15_000)
        clock = page.locator(".scrub b:not(.kept) span")
        before = clock.inner_text()
        page.get_by_role("button", name="16×").click()
        page.locator(".controls .play").click()
        tab.until(f"document.querySelector('.scrub b:not(.kept) span').textContent !== '{before}'", 15)
        page.locator(".controls .play").click()
        page.get_by_role("button", name="Mark / note").click()
        page.locator(".note input").fill("first report")
        page.locator(".note button").click()
        page.locator(".tracks .mark", has_text="first report").wait_for(timeout=10_000)
        for key, shown in ((".", "60×"), (",", "16×"), (",", "4×"), ("1", "1×")):
            page.keyboard.press(key)
            page.locator(".speeds [aria-pressed=true]", has_text=shown).wait_for(timeout=10_000)
        before = clock.inner_text()
        page.keyboard.press("Shift+ArrowLeft")
        tab.until(f"document.querySelector('.scrub b:not(.kept) span').textContent < '{before}'", 15)
        page.keyboard.press("Space")
        page.locator(".controls .play", has_text="Pause").wait_for(timeout=10_000)
        page.keyboard.press("Space")
        page.locator(".controls .play", has_text="Play").wait_for(timeout=10_000)
        page.keyboard.press("c")
        page.locator(".compare figure.ready").nth(1).wait_for(timeout=90_000)
        page.locator(".compare tbody tr", has_text="Power now").wait_for(timeout=30_000)
        page.locator(".compare button", has_text="End").click()
        page.locator(".then .figures div", has_text="People on site").wait_for(timeout=15_000)
        assert page.locator(".controls .keys kbd").count() == 7
        assert "not live" in page.locator(".replay-banner").inner_text()
        assert page.locator(".locked").get_attribute("aria-disabled") == "true"
        page.evaluate("history.replaceState(null, '', '/replay?device=GATE-1'); dispatchEvent(new PopStateEvent('popstate'))")
        page.locator(".device .verbs").wait_for(timeout=10_000)
        assert page.locator(".device .verbs button:not([disabled])").count() == 0
        assert "this is the past" in page.locator(".device .verbs .why").inner_text()
        refused = page.evaluate("""async () => (await fetch('/api/v1/commands', {method: 'POST', headers: {
            'X-CSRF-Token': (await (await fetch('/api/v1/me')).json()).csrf, 'Content-Type': 'application/json',
            'X-Parktwin-Replay': '1'}, body: JSON.stringify({device: 'GATE-1', key: 'open', args: {}})})).status""")
        assert refused == 409
        page.locator(".moments li button", has_text="Fire alarm").first.click()
        page.locator(".then ul li", has_text="Fire alarm").first.wait_for(timeout=15_000)  # at its first instant
        page.locator(".moments input").fill("2001-01-01T00:00:00")
        page.locator(".moments form button").click()
        page.locator(".controls [role=alert]", has_text="before the first record").wait_for(timeout=15_000)
        assert [c for c in tab.complaints if not c.startswith("409")] == []
