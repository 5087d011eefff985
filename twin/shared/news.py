"""What another server put on record since the last look, read back as the values it wrote."""

from __future__ import annotations

from dataclasses import dataclass

from twin.alarm_records import ALARMS
from twin.events import COMMANDS, DISPATCHES, INCIDENTS, EventStore
from twin.live.standby import News
from twin.shared.changes import MOST_AT_ONCE, last_change, read_changes


@dataclass(slots=True)
class Reader:
    """Where one server has read to. One thread uses it.

    Args:
        events: of this server; lines of the trail it wrote itself are no news.
    """

    events: EventStore
    change: int = 0
    line: int = 0
    is_behind: bool = False

    def begin(self) -> None:
        """From now on: what is on record already is read elsewhere. Raises StoreDown."""
        with self.events.database.begin() as connection:
            self.change = last_change(connection)
        newest = self.events.trail(1)
        self.line = newest[0].id if newest else 0

    def read(self) -> tuple[News, list[str]]:
        """The news, and the names of papers that changed; `is_behind`: there is more. Raises StoreDown."""
        events = self.events
        with events.database.begin() as connection:
            found = read_changes(connection, self.change)
        alarms, commands = [int(key) for key in found.of("alarm")], found.of("command")
        incidents, dispatches = [int(key) for key in found.of("incident")], found.of("dispatch")
        trail = events.trail_after(self.line)
        news = News(
            alarms=tuple(events.alarms_where(ALARMS.c.id.in_(alarms))[::-1]) if alarms else (),
            suppressions=tuple(events.suppressions()) if found.of("aside") else None,
            commands=tuple(events.commands_where(COMMANDS.c.id.in_(commands))) if commands else (),
            incidents=tuple(events.incidents_where(INCIDENTS.c.id.in_(incidents))) if incidents else (),
            dispatches=tuple(events.dispatches_where(DISPATCHES.c.id.in_(dispatches))) if dispatches else (),
            trail=tuple(entry for entry in trail if not events.is_own(entry.id)))
        self.is_behind = len(trail) >= MOST_AT_ONCE or sum(map(len, found.things.values())) >= MOST_AT_ONCE
        self.change, self.line = found.last, trail[-1].id if trail else self.line
        return news, found.of("paper")


def is_news(news: News) -> bool:
    """Whether there is anything in it."""
    return news != News()
