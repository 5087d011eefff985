"""R3, R5, R11 and R17 under the base load, against a server in a process of its own: what each costs the others."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from base_load import DEVICES, BaseLoad
from contract_proxy import Proxy
from faults_park import MQTT, POSTED, TOKEN, batch
from fresh_database import fresh_postgres
from full_size import measured, resident_mb, size
from own_broker import BINARY, Broker
from replica_rig import Server
from served_park import build_park, free_port, until
from test_r05_r23_pages_and_lines import stalled_page
from websockets.exceptions import ConnectionClosed

pytestmark = [pytest.mark.postgres, pytest.mark.broker, pytest.mark.skipif(not BINARY, reason="mosquitto is not installed")]

CHURN = 2000  # devices that fail and recover in turn
CHURN_HZ = 100
FLOOD = size(100_000, CHURN)
FLOOD_SECS = size(60, 2)
FIRES = size(10, 1)
DATABASE = """
[database]
url = "postgresql://{user}@127.0.0.1:{port}/{name}"
password = "env:PARK_DATABASE"
"""
STEPS = """SELECT a.key, e.what, e.time FROM alarm_events e JOIN alarms a ON a.id = e.alarm
           WHERE a.key LIKE :keys AND e.what IN ('raised', 'returned', 'acknowledged') ORDER BY e.seq"""


@dataclass(slots=True)
class Park:
    """A server of its own on a real broker and, over a line that can be cut, a real PostgreSQL."""

    server: Server
    broker: Broker
    line: Proxy
    url: sa.URL

    @property
    def rss_mb(self) -> float:
        assert self.server.process is not None
        return resident_mb(self.server.process.pid)

    def post(self, *batches: dict) -> None:
        """Telemetry, posted until it is acknowledged: 503 says to post the same again."""
        def is_taken() -> bool:
            answer = httpx.post(f"http://{self.server.name}/api/v1/ingest", content=json.dumps(batches), timeout=60,
                                headers={"authorization": f"Bearer {TOKEN}"})
            assert answer.status_code in (200, 503), answer.text
            return answer.status_code == 200
        until(is_taken, 120, "the post is acknowledged")

    def until(self, condition: Callable[[], object], secs: float, what: str) -> None:
        """As `until`; what the server said last stands under a failure."""
        try:
            until(condition, secs, what)
        except AssertionError as error:
            error.add_note(f"the server:\n{self.server.log()[-4000:]}")
            raise

    def query(self, text: str, **values: object) -> list[sa.Row]:
        """Asked of the database past the server."""
        engine = sa.create_engine(self.url)
        try:
            with engine.connect() as connection:
                return list(connection.execute(sa.text(text), values))
        finally:
            engine.dispose()

    def steps(self, what: str, keys: str = "PV-%") -> int:
        """How many transitions of a sort are on record."""
        return self.query("SELECT count(*) FROM alarm_events e JOIN alarms a ON a.id = e.alarm WHERE a.key LIKE :keys "
                          "AND e.what = :what", keys=keys, what=what)[0][0]


def inverters(count: int) -> str:
    return "".join(f"PV-{i},pv_inverter,PV {i},光伏 {i},,,,,{i % 100},{i // 100 % 100},0,\n" for i in range(count))


def smoke(count: int) -> str:
    return "".join(f"HOT-{i},smoke,Smoke {i},烟感 {i},,,,,{i},50,3,\n" for i in range(count))


@contextmanager
def served(at: Path, count: int) -> Iterator[Park]:
    at.mkdir()
    build_park(at, DEVICES + smoke(FIRES) + inverters(count))
    (at / "push.token").write_text(TOKEN, "utf-8")
    folder = at.parent / f"{at.name}-broker"
    folder.mkdir()
    broker = Broker(free_port(), folder)
    broker.start()
    with fresh_postgres() as url, Proxy(url.host or "127.0.0.1", url.port or 5432) as line:
        (at / "park.toml").write_text(POSTED + MQTT.format(port=broker.port) + DATABASE.format(
            user=url.username, port=line.port, name=url.database), "utf-8")
        server = Server(at, at, free_port(), {**os.environ, "PARK_DATABASE": str(url.password)})
        try:
            server.start()
            server.sign_in()
            yield Park(server, broker, line, url)
        finally:
            server.stop(hard=True)
            broker.stop(hard=True)


@pytest.fixture(scope="module")
def park(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Park]:
    with served(tmp_path_factory.mktemp("loaded") / "park", CHURN) as made:
        yield made


@pytest.fixture
def flooded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Park]:
    """A park with as many alarms as the flood has."""
    if FLOOD <= CHURN:
        yield request.getfixturevalue("park")
        return
    with served(tmp_path / "park", FLOOD) as made:
        yield made


def pause(secs: float) -> tuple[float, float]:
    """A span of monotonic time, once it is over."""
    begin = time.monotonic()
    time.sleep(secs)
    return begin, time.monotonic()


def test_r05_a_page_that_stalls_changes_nothing_for_the_others(park: Park) -> None:
    with BaseLoad(park.server, park.broker.port) as load:
        pause(size(420, 3))  # what is done every five minutes has been loaded by then
        before, mb = load.p95_ms(*pause(size(120, 3))), park.rss_mb
        line = stalled_page(park.server.port, f"parktwin={park.server.http.cookies['parktwin']}")  # type: ignore[union-attr]
        stalled = pause(size(600, 4))
        grown = park.rss_mb - mb
        during = load.p95_ms(*stalled)
        line.close()
        after = load.p95_ms(*pause(size(120, 3)))
    measured("R5 memory while a browser stalls", grown, "MB", 20)
    measured("R5 age of a value p95 at the others", 100 * (during / ((before + after) / 2) - 1), "% more", 10,
             note=f"{before:.0f} ms before, {during:.0f} ms during, {after:.0f} ms after")
    assert load.longest_gap_secs(*stalled) < 10, "the others see values all the while"


def test_r17_a_replay_at_sixty_times_leaves_the_live_pages_as_fast(park: Park) -> None:
    now, past_secs, turns = time.time(), size(900, 60), size(5, 1)
    for first in range(0, past_secs, 20):
        park.post(*({"ts": round((now - 2000 + k) * 1000), "d": {f"CHG-{i}": {
            "power": 5.0 + (k + i) % 50, "energy": float(k), "cable_temp": 20.0 + (k + i) % 30, "limit": 60.0 + k % 2 * 30}
            for i in range(250)}} for k in range(first, min(first + 20, past_secs))))
    calm, replayed, values = [], [], 0

    def play(ends: threading.Event) -> None:
        nonlocal values
        with park.server.live("/live/replay") as page:
            begun = 0.0
            while not ends.is_set():
                if time.monotonic() - begun > past_secs / 60:
                    page.send(json.dumps({"t": "replay", "at_ms": (now - 1999) * 1000, "speed": 60.0, "is_playing": True}))
                    begun = time.monotonic()
                values += isinstance(page.recv(timeout=20), bytes)

    with BaseLoad(park.server, park.broker.port) as load:
        pause(size(30, 2))
        for _ in range(turns):
            calm.append(pause(size(30, 3)))
            ends = threading.Event()
            page = threading.Thread(target=play, args=(ends,))
            page.start()
            replayed.append(pause(size(30, 3)))
            ends.set()
            page.join(30)

        def p95(spans: list[tuple[float, float]]) -> float:
            return sum(load.p95_ms(*span) for span in spans) / len(spans)

        measured("R17 age of a live value p95 beside a replay at 60×", 100 * (p95(replayed) / p95(calm) - 1), "% more", 20,
                 note=f"{p95(calm):.0f} ms without, {p95(replayed):.0f} ms with, in turns of 30 s")
        assert values > turns, "the past was played"
        assert all(load.longest_gap_secs(*span) < 10 for span in replayed), "live goes on"


def test_r03_the_database_away_under_alarms_loses_none_and_keeps_their_order(park: Park) -> None:
    said: dict[str, list[str]] = defaultdict(list)
    ends = threading.Event()

    def churn() -> None:
        begin, count, share = time.monotonic(), 0, CHURN_HZ // 10
        while not ends.is_set():
            faults = count // CHURN % 2 == 0
            rows = [f"PV-{i % CHURN}" for i in range(count, count + share)]
            for told in [load.tell(row, {"status": "fault" if faults else "generating"}) for row in rows]:
                told.result(20)
            for row in rows:
                said[f"{row}.fault"].append("raised" if faults else "returned")
            count += share
            time.sleep(max(0.0, begin + count / CHURN_HZ - time.monotonic()))

    def written() -> int:
        return park.steps("raised") + park.steps("returned")

    with BaseLoad(park.server, park.broker.port) as load:
        thread = threading.Thread(target=churn)
        thread.start()
        try:
            calm, mb = pause(size(60, 4)), park.rss_mb
            park.line.cut()
            away = pause(size(120, 6))
            grown, waiting, mended = park.rss_mb - mb, sum(map(len, said.values())) - written(), time.monotonic()
            park.line.mend()
            there = written()
            park.until(lambda: written() >= sum(map(len, said.values())) - 2 * CHURN_HZ, 120, "what waited is written")
            took = time.monotonic() - mended
            rate = (written() - there) / took
        finally:
            ends.set()
            thread.join(20)
        total = sum(map(len, said.values()))
        park.until(lambda: written() >= total, 60, "all of it")
    found: dict[str, list[str]] = defaultdict(list)
    for key, what, _ in park.query(STEPS, keys="PV-%"):
        found[key].append(what)
    assert found == said, "none lost, none twice, in order"
    assert load.longest_gap_secs(*away) < 10, "pages stay live"
    measured("R3 memory while the database is away", grown, "MB", 200)
    measured(f"R3 what waited is written, transitions a second over {CHURN_HZ} live", rate / CHURN_HZ, "×", 5, "at least",
             note=f"{waiting:,} waited, {took:.1f} s until at most two seconds' worth did, the database's way back included")
    measured("R3 age of a value p95 while it is away", load.p95_ms(*away), "ms", note=f"{load.p95_ms(*calm):.0f} ms before")


def shown_rows(park: Park, live: list[dict]) -> int:
    """Floods, alarms in none, and those that no flood was told of yet."""
    told = park.server.get("alarms/groups")
    unheard = len(live) - sum(group["count"] for group in told["groups"]) - len(told["alone"])
    return len(told["groups"]) + len(told["alone"]) + max(0, unheard)


def test_r11_a_flood_is_few_rows_with_the_worst_on_top_and_every_alarm_on_record(flooded: Park) -> None:
    park, told, fires = flooded, {}, {}
    already = park.steps("raised")
    ends = threading.Event()

    def watch() -> None:
        with park.server.live() as page:
            while not ends.is_set():
                try:
                    message = page.recv(timeout=0.5)
                except TimeoutError:
                    continue
                except ConnectionClosed:
                    return
                if isinstance(message, str) and '"HOT-' in message and (body := json.loads(message))["t"] == "alarm":
                    told.setdefault(body["key"], time.monotonic())

    def say(status: str, first: int, last: int) -> None:
        now = round(time.time() * 1000)
        park.post({"ts": now, "d": {f"PV-{i}": {"status": status} for i in range(first, last)}})

    for k in range(0, FLOOD, 1000):
        say("generating", k, min(k + 1000, FLOOD))
    page = threading.Thread(target=watch)
    page.start()
    begin, steps, rows = time.monotonic(), FLOOD_SECS * 5, []
    with BaseLoad(park.server, park.broker.port) as load:
        for k in range(steps):
            say("fault", k * FLOOD // steps, (k + 1) * FLOOD // steps)
            if k % (steps // FIRES) == steps // FIRES // 2:
                device = f"HOT-{len(fires)}"
                fires[f"{device}.fire"] = time.monotonic()
                park.post(batch(time.time(), device, state="alarm"))
            if k % 50 == 49:
                rows.append(len(park.server.get("alarms/groups")["groups"]))
            time.sleep(max(0.0, begin + (k + 1) / 5 - time.monotonic()))
        flood_secs = time.monotonic() - begin
        until(lambda: told.keys() == fires.keys(), 60, "every fire is told")
        until(lambda: park.steps("raised") - already >= FLOOD, 300, "every alarm is on record")
        recorded_secs = time.monotonic() - begin - flood_secs
        live = park.server.get("alarms")
        assert {alarm["key"] for alarm in live} >= {f"PV-{i}.fault" for i in range(FLOOD)} | fires.keys(), "none lost"
        until(lambda: shown_rows(park, live) <= 50, 10, "the flood is grouped")
        rows.append(shown_rows(park, live))
        assert {alarm["key"] for alarm in live[:FIRES]} == fires.keys(), "the worst is on top"
        over = time.monotonic()
        for k in range(0, FLOOD, 1000):
            say("generating", k, min(k + 1000, FLOOD))
        ids = [alarm["id"] for alarm in live if alarm["key"].startswith("PV-")]
        for k in range(0, len(ids), 1000):
            answer = park.server.post("alarms/acknowledge", {"ids": ids[k:k + 1000]})
            assert answer.status_code == 200, answer.text
        until(lambda: not any(row["key"].startswith("PV-") for row in park.server.get("alarms")), 600, "it drains")
        until(lambda: park.steps("returned") >= FLOOD, 600, "on record too")
        drained = time.monotonic() - over
        p95 = load.p95_ms(begin, begin + flood_secs)
    ends.set()
    page.join(10)
    raised = [key for key, what, _ in park.query(STEPS, keys="PV-%") if what == "raised"]
    assert len(raised) - already == FLOOD, "each once"
    measured(f"R11 rows for {FLOOD:,} alarms in {flood_secs:.0f} s", max(rows), "rows", 50)
    measured("R11 the worst of the fires is shown after", max(told[key] - fires[key] for key in fires), "s", 2)
    measured("R11 drained after", drained, "s", 300, note=f"the field well again and all acknowledged; on record "
             f"{recorded_secs:.1f} s after the flood; age of a value p95 meanwhile {p95:.0f} ms")
