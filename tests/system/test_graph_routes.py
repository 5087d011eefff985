"""The graph over HTTP, on a real building with its devices, served by the real server."""

from __future__ import annotations

import httpx
import numpy as np
import pytest
from served_park import Served

API = "/api/v1/graph"


@pytest.fixture
def asks(paged: Served) -> httpx.Client:
    return paged.browser().http


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["nodes"]]


def test_what_is_in_and_what_contains(asks: httpx.Client) -> None:
    storeys = asks.get(f"{API}/inside", params={"node": "e1", "kind": "storey"}).json()["nodes"]
    assert [row["name"] for row in storeys][:2] == ["1F", "2F"]
    assert set(ids(asks.get(f"{API}/inside", params={"node": storeys[0]["id"], "kind": "device"}))) == {
        "MTR-E", "SMK-101", "CH-1"}
    assert ids(asks.get(f"{API}/inside", params={"node": storeys[0]["id"], "kind": "device", "deep": "false"})) == []
    told = asks.get(f"{API}/inside", params={"node": "e1", "limit": 3}).json()
    assert len(told["nodes"]) == 3 < told["count"]
    chain = asks.get(f"{API}/containers", params={"node": "CH-1"}).json()["nodes"]
    assert [row["kind"] for row in chain] == ["park", "building", "storey", "space"]
    assert chain[-1]["path"].startswith("Energy Centre · 1F")


def test_what_feeds_and_serves(asks: httpx.Client) -> None:
    assert ids(asks.get(f"{API}/feeds", params={"node": "MTR-E"})) == ["e1"]
    assert ids(asks.get(f"{API}/fed_by", params={"node": "park"})) == ["MTR-0"]
    assert ids(asks.get(f"{API}/serves", params={"node": "MTR-E"})) == ["e1"]
    assert ids(asks.get(f"{API}/served_by", params={"node": "CH-1"})) == ["MTR-E", "MTR-0"]  # the nearest first
    assert asks.get(f"{API}/systems").json()["count"] >= 0


def test_what_is_near_and_sees(asks: httpx.Client, paged: Served) -> None:
    near = asks.get(f"{API}/near", params={"node": "SMK-101", "metres": 5}).json()["nodes"]
    assert [row["id"] for row in near][:1] == ["CH-1"]
    x, y, z = paged.services.graph.columns["anchor"][paged.services.graph.index("GATE-1")]
    at = asks.get(f"{API}/near", params={"at": f"{x},{y},{z + 2}", "metres": 3, "kind": "gate"}).json()["nodes"]
    assert [row["id"] for row in at] == ["GATE-1"]
    assert at[0]["metres"] == pytest.approx(1.85, abs=0.01)  # to the top of its box
    walked = asks.get(f"{API}/near", params={"node": "SMK-101", "metres": 500, "on_foot": "true", "kind": "gate"}).json()
    straight = asks.get(f"{API}/near", params={"node": "SMK-101", "metres": 500, "kind": "gate"}).json()
    assert walked["nodes"][0]["metres"] > straight["nodes"][0]["metres"]
    for row in asks.get(f"{API}/sees", params={"node": "CAM-1"}).json()["nodes"]:
        assert "CAM-1" in ids(asks.get(f"{API}/seen_by", params={"node": row["id"]}))


def test_ways_end_where_they_should_and_wheelchairs_take_no_stairs(asks: httpx.Client) -> None:
    way = asks.get(f"{API}/path", params={"start": "GATE-1", "end": "SMK-201"}).json()["way"]
    points = np.array(way["points"])
    assert np.linalg.norm(np.diff(points, axis=0), axis=1).sum() == pytest.approx(way["metres"], abs=0.5)
    room = asks.get(f"{API}/containers", params={"node": "SMK-201"}).json()
    assert way["passed"][-1] == room["nodes"][-1]["id"]
    cls = {row["cls"] for node in way["passed"] for row in [asks.get(f"/api/v1/nodes/{node}").json()["node"]]}
    assert "IfcDoor" in cls
    rolled = asks.get(f"{API}/path", params={"start": "GATE-1", "end": "SMK-201", "how": "wheelchair"}).json()["way"]
    if rolled is not None:
        assert not any(asks.get(f"/api/v1/nodes/{n}").json()["node"]["cls"].startswith("IfcStair") for n in rolled["passed"])
        assert rolled["metres"] >= way["metres"]


def test_card_tells_every_relation_at_once(asks: httpx.Client) -> None:
    card = asks.get(f"{API}/card", params={"node": "CH-1"}).json()
    assert [row["kind"] for row in card["containers"]["nodes"]] == ["building", "storey", "space"]
    assert [row["id"] for row in card["fed_by"]["nodes"]] == ["MTR-E", "MTR-0"]
    assert "SMK-101" in [row["id"] for row in card["near"]["nodes"]]
    assert card["way"]["metres"] > 0


def test_what_is_not_there_is_a_404_and_what_makes_no_sense_a_422(asks: httpx.Client) -> None:
    for path in ("inside", "containers", "feeds", "fed_by", "serves", "served_by", "sees", "seen_by", "card"):
        answer = asks.get(f"{API}/{path}", params={"node": "nobody"})
        assert (answer.status_code, answer.json()["code"]) == (404, "node.unknown"), path
    assert asks.get(f"{API}/members", params={"system": "nobody"}).status_code == 404
    assert asks.get(f"{API}/path", params={"start": "e1", "end": "nobody"}).status_code == 404
    assert asks.get(f"{API}/near", params={"at": "1,2,x", "metres": 3}).json()["code"] == "graph.point"
    assert asks.get(f"{API}/near", params={"at": "1,2,3", "metres": -1}).status_code == 422
    assert asks.get(f"{API}/path", params={"start": "e1", "end": "e1", "how": "fly"}).status_code == 422


def test_graph_is_in_the_open_api_and_closed_to_strangers(paged: Served, asks: httpx.Client) -> None:
    paths = {path for path in asks.get("/openapi.json").json()["paths"] if path.startswith(API)}
    assert {f"{API}/{name}" for name in ("inside", "near", "sees", "path", "served_by", "card")} <= paths
    for path in paths:
        assert httpx.get(paged.origin + path, params={"node": "e1"}).status_code == 401, path


def test_places_and_rooms_say_the_same_as_rows_and_as_columns(asks: httpx.Client) -> None:
    rows, columns = (asks.get("/api/v1/tree", params=form).json() for form in ({}, {"form": "columns"}))
    told = {**columns, **{field: [columns[field]["words"][k] for k in columns[field]["at"]]
                          for field in ("kind", "name", "name_zh", "tile")}}
    for field, count in (("anchor", 3), ("bbox", 6)):  # of half a millimetre either neighbour will do
        np.testing.assert_allclose(np.reshape(told.pop(field), (-1, count)), [row.pop(field) for row in rows["nodes"]],
                                   rtol=0, atol=0.0011)
    assert {"park", "building", "storey", "space"} <= set(told["kind"])
    assert [{field: told[field][k] for field in told} for k in range(len(told["i"]))] == [
        {field: value for field, value in row.items() if field != "cls"} for row in rows["nodes"]]
    rooms, flat = (asks.get("/api/v1/spaces", params=form).json() for form in ({}, {"form": "columns"}))
    ends = zip(flat["ring"], flat["ring"][1:], strict=False)
    assert [np.reshape(flat["xy"][a:b], (-1, 2)).tolist() for a, b in ends] == [room["ring"] for room in rooms["spaces"]]
    assert [list(row) for row in zip(*(flat[field] for field in ("i", "parent", "z0", "z1")), strict=True)] == [
        [room[field] for field in ("i", "parent", "z0", "z1")] for room in rooms["spaces"]]
    assert asks.get("/api/v1/tree", params={"form": "circles"}).status_code == 422
