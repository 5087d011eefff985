"""A card's relations on the console: what holds, feeds and neighbours a thing, one click away; the way in, drawn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from page_driver import Tab, open_tab
from playwright.sync_api import Browser
from served_park import Served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def tab(window: Browser, calm: Served) -> Iterator[Tab]:
    opened = open_tab(window, calm)
    yield opened
    opened.context.close()


def relations(tab: Tab) -> dict[str, list[str]]:
    """What the card says, by relation."""
    return tab.page.evaluate("""() => Object.fromEntries([...document.querySelectorAll('.relations > div')].map((row) =>
        [row.querySelector('dt').textContent, [...row.querySelectorAll('.rel')].map((c) => c.textContent)]))""")


def test_card_of_a_device_leads_to_what_it_hangs_on_and_shows_the_way_in(tab: Tab) -> None:
    tab.open("/console?device=SMK-201")
    tab.until("document.querySelector('.relations')")
    told = relations(tab)
    assert told["In"] == ["Energy Centre", "2F", "201 Control room"]
    assert told["Fed by"] == ["Energy meter", "Park meter"]
    assert "only by stairs" in told["From the door"]
    way = tab.page.locator(".relations button.rel[aria-pressed]")
    metres = tab.served.services.park_graph.path("e1", "SMK-201").metres  # type: ignore[union-attr]
    assert way.inner_text() == f"{metres:.0f} m on foot"
    way.click()
    tab.until("document.querySelector('.relations button.rel[aria-pressed=true]')")
    assert tab.page.evaluate("window.hacked") is None, "names from files are text"
    tab.page.locator(".relations button.rel", has_text="Energy meter").click()
    tab.until("document.querySelector('.device h2')?.textContent === 'Energy meter'")
    assert "device=MTR-E" in tab.page.url
    tab.until("[...document.querySelectorAll('.relations dt')].some((t) => t.textContent === 'Feeds')")
    assert relations(tab)["Feeds"] == ["Energy Centre"]


def test_card_of_a_place_stands_where_no_device_is_chosen(tab: Tab) -> None:
    tab.page.locator(".relations button.rel", has_text="Energy Centre").first.click()
    tab.until("document.querySelector('.place-card .relations')")
    assert tab.page.locator(".place-card h2").inner_text() == "Energy Centre"
    assert relations(tab)["Fed by"] == ["Energy meter"]
    assert tab.page.locator(".panel.device").count() == 0
    tab.open("/console")
    tab.until("document.querySelector('.panel.device')")
    assert tab.page.locator(".place-card").count() == 0
