"""What live data paints, and the figures on the cards, over a small park made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from overlays.kpis import GRID_KG_PER_KWH, KpiBoard
from overlays.overlay import Moment, OverlayError, Painter, find_overlays
from overlays.sums import areas
from twin.graph import SceneGraph
from twin.packs import load_packs
from twin.registry import Device, PointTable
from twin.wire import Channel, Quality

NOW = 1_700_000_000.0
NODES = [  # id, kind, parent, area
    ("", "none", 0, np.nan), ("park", "park", 0, np.nan), ("a1", "building", 1, np.nan), ("f1", "storey", 2, np.nan),
    ("f2", "storey", 2, np.nan), ("r1", "space", 3, 50.0), ("r2", "space", 3, 50.0), ("r3", "space", 4, 100.0),
    ("m-a1", "device", 7, np.nan), ("m-r1", "device", 5, np.nan), ("l-r1", "device", 5, np.nan),
    ("l-r3", "device", 7, np.nan), ("s-r1", "device", 5, np.nan), ("s-r2", "device", 6, np.nan),
    ("b1", "building", 1, np.nan), ("pv", "device", 1, np.nan), ("ch", "device", 7, np.nan),
]


def graph() -> SceneGraph:
    n = len(NODES)
    text = np.array([""] * n, object)
    return SceneGraph({
        "id": np.array([node[0] for node in NODES], object), "kind": np.array([node[1] for node in NODES], object),
        "parent": np.array([node[2] for node in NODES], np.uint32), "area": np.array([node[3] for node in NODES]),
        "name": text, "name_zh": text, "cls": text, "guid": text, "source": text, "tile": text,
        "anchor": np.zeros((n, 3)), "bbox": np.zeros((n, 6)), "elevation": np.zeros(n), "height": np.zeros(n),
        "element": np.zeros(n, np.uint32)})


@pytest.fixture
def points() -> PointTable:
    devices = [Device(id="m-a1", kind="meter", name="", feeds="a1"), Device(id="m-r1", kind="meter", name=""),
               Device(id="l-r1", kind="lighting", name=""), Device(id="l-r3", kind="lighting", name=""),
               Device(id="s-r1", kind="env_sensor", name=""), Device(id="s-r2", kind="env_sensor", name=""),
               Device(id="pv", kind="pv_inverter", name=""), Device(id="ch", kind="chiller", name=""),
               Device(id="lost", kind="camera", name="")]
    return PointTable(devices, load_packs().kinds)


def moment(points: PointTable, tracks: tuple[int, ...] = (), time: float = NOW, **values: float) -> Moment:
    value, quality = np.full(len(points), np.nan), np.full(len(points), int(Quality.NEVER), np.uint8)
    for name, number in values.items():
        slot = points.slot_of(name.replace("__", ".").replace("_", "-", 1))
        assert slot is not None, name
        value[slot], quality[slot] = number, int(Quality.GOOD)
    return Moment(time=time, value=value, quality=quality, track_node=np.array(tracks, np.uint32))


def painted(points: PointTable, channel: Channel, now: Moment) -> dict[str, float]:
    node, value = Painter(graph(), points).paint(channel, now)
    return {str(NODES[i][0]): float(v) for i, v in zip(node, value, strict=True)}


def test_a_building_of_the_map_counts_with_its_own_floor_area_and_one_with_rooms_by_them() -> None:
    table = graph()
    table.columns["area"][table.index("a1")] = 999.0  # what a file says of a building whose rooms are known
    table.columns["area"][table.index("b1")] = 300.0
    found = areas(table)
    assert [found[table.index(name)] for name in ("a1", "f1", "b1", "park")] == [200.0, 100.0, 300.0, 500.0]
    assert np.isnan(found[table.index("pv")])


def test_every_channel_of_the_wire_has_an_overlay_with_seven_classes() -> None:
    found = find_overlays()
    assert set(found) == {int(channel) for channel in Channel}
    assert all(overlay.name_zh and len(overlay.breaks) == 8 for overlay in found.values())


def test_a_building_meter_counts_for_the_building_and_is_not_spread_over_rooms(points: PointTable) -> None:
    w = painted(points, Channel.ENERGY, moment(points, m_a1__power=8.0))
    assert w["a1"] == pytest.approx(8000 / 200)
    assert w["park"] == pytest.approx(8000 / 200)
    assert np.isnan([w["f1"], w["f2"], w["r1"], w["r2"], w["r3"], w["b1"]]).all()


def test_a_room_meter_wins_over_the_lamps_in_it_and_adds_up_where_nothing_else_is_metered(points: PointTable) -> None:
    w = painted(points, Channel.ENERGY, moment(points, m_r1__power=1.0, l_r1__power=0.4, l_r3__power=0.5))
    assert w["r1"] == pytest.approx(20.0)
    assert w["f1"] == pytest.approx(10.0)
    assert w["r3"] == pytest.approx(5.0)
    assert np.isnan(w["a1"])  # its own meter says nothing


def test_a_value_gone_stale_is_not_painted(points: PointTable) -> None:
    now = moment(points, s_r1__temp=24.0)
    now.quality[now.quality == Quality.GOOD] = Quality.STALE
    assert np.isnan(list(painted(points, Channel.TEMPERATURE, now).values())).all()


def test_rooms_show_their_sensor_and_storeys_the_mean(points: PointTable) -> None:
    now = moment(points, s_r1__temp=24.0, s_r2__temp=26.0, s_r1__co2=700.0)
    temperature, co2 = painted(points, Channel.TEMPERATURE, now), painted(points, Channel.CO2, now)
    assert (temperature["r1"], temperature["r2"], temperature["f1"], temperature["a1"]) == (24.0, 26.0, 25.0, 25.0)
    assert np.isnan(temperature["r3"])
    assert (co2["f1"], co2["park"]) == (700.0, 700.0)


def test_people_are_counted_in_every_node_around_them(points: PointTable) -> None:
    people = painted(points, Channel.OCCUPANCY, moment(points, tracks=(5, 5, 7, 0)))
    assert (people["r1"], people["r3"], people["f1"], people["a1"], people["r2"], people["b1"]) == (2, 1, 2, 3, 0, 0)


def test_an_unknown_channel_is_refused(points: PointTable) -> None:
    with pytest.raises(OverlayError, match="99"):
        Painter(graph(), points).paint(99, moment(points))


def cards(board: KpiBoard, now: Moment, node: str = "park", alarms: tuple[int, ...] = ()) -> dict[str, float | None]:
    return {card.key: card.value for card in board.cards(node, now, alarms).cards}


def test_cards_of_a_park_say_what_is_known_and_dash_the_rest(points: PointTable) -> None:
    board = KpiBoard(graph(), points)
    now = moment(points, tracks=(5, 0), m_a1__power=8.0, pv__output=3.5, ch__cooling=500.0, ch__power=100.0)
    park = cards(board, now, alarms=(5, 15))
    assert park["power"] == 8.0
    assert park["intensity"] == pytest.approx(40.0)
    assert (park["pv"], park["people"], park["alarms"], park["cop"]) == (3.5, 2.0, 2.0, 5.0)
    assert park["online"] == pytest.approx(100 * 3 / 8)  # the ninth device is in no node
    assert park["energy_today"] is None
    assert park["carbon_today"] is None
    building = cards(board, now, "a1", alarms=(5, 15))
    assert (building["alarms"], building["pv"], building["people"]) == (1.0, None, 1.0)
    assert cards(board, now, "f1")["power"] is None


def test_energy_today_counts_from_midnight_and_carbon_follows(points: PointTable) -> None:
    then = moment(points, m_a1__energy=1000.0, m_a1__power=6.0, time=NOW - 3600)
    board = KpiBoard(graph(), points, recall=lambda _: then, midnight=lambda _: NOW - 3600)
    found = board.cards("park", moment(points, m_a1__energy=1100.0, m_a1__power=8.0))
    by_key = {card.key: card for card in found.cards}
    assert by_key["energy_today"].value == pytest.approx(100.0)
    assert by_key["carbon_today"].value == pytest.approx(100.0 * GRID_KG_PER_KWH)
    assert by_key["energy_today"].note == ""
    assert by_key["power"].reference == 6.0


def test_without_a_midnight_reading_energy_counts_from_the_first_and_says_so(points: PointTable) -> None:
    board = KpiBoard(graph(), points, midnight=lambda _: NOW - 3600)
    board.cards("park", moment(points, m_a1__energy=1000.0))
    later = board.cards("park", moment(points, m_a1__energy=1007.0, time=NOW + 60)).cards
    card = {card.key: card for card in later}["energy_today"]
    assert card.value == pytest.approx(7.0)
    assert card.note.startswith("since ")


def test_a_fresh_server_remembers_its_day_from_history(points: PointTable) -> None:
    def recall(time: float) -> Moment | None:
        return None if time < NOW - 100 else moment(points, time=time, m_a1__power=time - NOW)

    board = KpiBoard(graph(), points, recall=recall)
    board.sample(moment(points, time=NOW, m_a1__power=5.0))
    board.prepend(board.remembered([NOW - 200.0, NOW - 90.0, NOW - 30.0]))
    cards = {card.key: card for card in board.cards("park", moment(points)).cards}
    assert cards["power"].trend == [-90.0, -30.0, 5.0], "an instant that history does not know is left out"
    assert len(cards["people"].trend) == 1, "who was where then is not known"


def test_trends_keep_one_sample_a_quarter_of_an_hour(points: PointTable) -> None:
    board = KpiBoard(graph(), points)
    kept = [board.sample(moment(points, time=NOW + secs, m_a1__power=float(secs))) for secs in (0, 600, 900, 1800)]
    assert kept == [True, False, True, True]
    power = board.cards("park", moment(points)).cards[0]
    assert power.trend == [0.0, 900.0, 1800.0]
    assert power.value is None
