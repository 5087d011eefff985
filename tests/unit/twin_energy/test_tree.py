"""The meter tree, accounts of places and losses, against sums by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from energy_park import KINDS, PLACES, areas_of, graph_of, table_of
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.energy.losses import balances
from twin.energy.meters import meters_of
from twin.energy.places import Accounts
from twin.energy.spec import EnergySpec, MeterEntry, Tenant, read_energy
from twin.energy.tree import MeterTree, meter_tree
from twin.registry import Device, PointTable

BARE = EnergySpec(meters={})


def tree_of(meters: dict[str, tuple[str, str]], spec: EnergySpec = BARE) -> tuple[MeterTree, Accounts]:
    graph, points = graph_of({name: place for name, (place, _) in meters.items()}), table_of(meters)
    tree = meter_tree(meters_of(points, graph, spec), points, graph, spec)
    return tree, Accounts(tree, graph, areas_of(graph), spec)


def parents(tree: MeterTree) -> dict[str, str]:
    """Meter → the meters above it."""
    out = {}
    for supply in tree.supplies:
        above = tree.supplies[supply.parent].meters if supply.parent >= 0 else ()
        for m in supply.meters:
            out[tree.meters[m].id] = "+".join(tree.meters[k].id for k in above)
    return out


def amount(account, use: dict[str, float], tree: MeterTree) -> float:
    return sum(w * use[tree.meters[m].id] for m, w in account.weight.items())


def test_places_tie_meters_where_nobody_says_more() -> None:
    tree, _ = tree_of({"M": ("park", "park"), "A": ("b1", "b1"), "B": ("b2", "b2"), "A1": ("b1s1", ""), "R": ("r1", "")})
    assert parents(tree) == {"M": "", "A": "M", "B": "M", "A1": "A", "R": "A1"}
    assert tree.findings == ()


def test_feeds_between_meters_wins_over_places_and_two_feeders_are_one_supply() -> None:
    tree, accounts = tree_of({"IN": ("b2", "A"), "A": ("b1", "b1"), "A2": ("b1", "b1s1"), "X": ("park", "b2"),
                              "Y": ("park", "b2")})
    assert parents(tree) == {"IN": "", "A": "IN", "A2": "A", "X": "", "Y": ""}
    use = {"IN": 100.0, "A": 90.0, "A2": 30.0, "X": 5.0, "Y": 7.0}
    assert amount(accounts.of(accounts._graph.index("b1"), "electricity"), use, tree) == 100.0
    assert amount(accounts.of(accounts._graph.index("b2"), "electricity"), use, tree) == 12.0


def test_a_circle_and_a_second_parent_are_told_with_their_mend() -> None:
    tree, _ = tree_of({"A": ("b1", "B"), "B": ("b1", "C"), "C": ("b1", "A"), "X": ("park", "Z"), "Y": ("park", "Z"),
                       "Z": ("b2", "b2")})
    told = {finding.what: finding for finding in tree.findings}
    circle = next(what for what in told if "circle" in what)
    assert "A" in circle
    assert "under" in told[circle].mend
    second = next(what for what in told if "2 parents" in what)
    assert "X, Y" in second
    assert "[[meter]]" in told[second].mend
    assert parents(tree)["Z"] == "X"


def test_under_in_the_park_file_settles_it() -> None:
    spec = EnergySpec(meters={"Z": MeterEntry(id="Z", under="Y"), "no": MeterEntry(id="no", under="Y")})
    tree, _ = tree_of({"X": ("park", "Z"), "Y": ("park", "Z"), "Z": ("b2", "b2")}, spec)
    assert parents(tree)["Z"] == "Y"
    assert [f.what for f in tree.findings] == ["[[meter]] 'no' names 'no', which is no meter"]


def test_a_room_without_a_meter_gets_its_share_by_area_of_what_is_left() -> None:
    tree, accounts = tree_of({"S": ("b1s1", "b1s1"), "R": ("r1", "r1")})
    graph, use = accounts._graph, {"S": 100.0, "R": 40.0}
    assert amount(accounts.of(graph.index("r2"), "electricity"), use, tree) == pytest.approx(60.0)
    assert accounts.of(graph.index("r2"), "electricity").how == "share"
    assert accounts.of(graph.index("b1"), "electricity").how == "parts"
    assert accounts.of(graph.index("r4"), "electricity").how == "none"


def test_tenants_have_the_sum_of_their_places_and_no_place_counts_twice() -> None:
    spec = EnergySpec(meters={}, tenants=(Tenant(id="acme", name="Acme", places=("b1", "r1", "nowhere")),
                                          Tenant(id="late", name="Late", places=("r3", "b2"))))
    tree, accounts = tree_of({"A": ("b1", "b1"), "B": ("b2", "b2")}, spec)
    use = {"A": 70.0, "B": 30.0}
    assert amount(accounts.of_tenant("acme", "electricity"), use, tree) == 70.0
    assert amount(accounts.of_tenant("late", "electricity"), use, tree) == 30.0
    assert accounts.of_tenant("acme", "electricity").area == 600.0
    assert len(accounts.findings) == 3


def test_a_silent_child_makes_a_loss_uncertain_and_children_that_count_more_are_told() -> None:
    tree, _ = tree_of({"A": ("b1", "b1"), "S1": ("b1s1", "b1s1"), "S2": ("b1s2", "b1s2")})
    at = {tree.meters[m].id: k for k, supply in enumerate(tree.supplies) for m in supply.meters}
    known = np.ones(3)
    sound = balances(tree, np.array([100.0, 60.0, 30.0]), known)[at["A"]]
    assert (sound.lost, sound.state) == (10.0, "sound")
    silent = balances(tree, np.array([100.0, 60.0, np.nan]), np.array([1.0, 1.0, 0.0]))[at["A"]]
    assert silent.state == "uncertain"
    assert [tree.meters[m].id for m in silent.silent] == ["S2"]
    assert balances(tree, np.array([100.0, 80.0, 60.0]), known)[at["A"]].state == "over"


@given(st.lists(st.tuples(st.sampled_from(sorted(PLACES)), st.floats(0, 1000)), min_size=1, max_size=14), st.data())
@settings(max_examples=150, deadline=None)
def test_losses_of_the_whole_tree_are_what_roots_counted_less_what_leaves_did(placed, data) -> None:
    """Whatever the tree: losses telescope, every meter stands in it once, and nothing is above itself."""
    meters = {f"M{k}": (place, data.draw(st.sampled_from(["", place, *(f"M{j}" for j in range(k))])))
              for k, (place, _) in enumerate(placed)}
    tree, accounts = tree_of(meters)
    assert sorted(m for supply in tree.supplies for m in supply.meters) == list(range(len(meters)))
    assert all(supply.parent < k for k, supply in enumerate(tree.supplies))
    use = np.array([value for _, value in placed])
    rows = balances(tree, use, np.ones(len(use)))
    roots = sum(rows[k].used for k in tree.roots("electricity"))
    leaves = sum(row.used for row in rows if row.state == "leaf")
    assert roots - leaves == pytest.approx(sum(row.lost for row in rows if row.state != "leaf"), abs=1e-6)
    park = accounts.of(accounts._graph.index("park"), "electricity")
    known = {tree.meters[k].id: value for k, value in enumerate(use)}
    assert amount(park, known, tree) == pytest.approx(roots, abs=1e-6)


def test_a_file_with_faults_keeps_what_holds(tmp_path: Path) -> None:
    (tmp_path / "energy.toml").write_text("""
[calendar]
holidays = ["2026-10-01/2026-10-03", "soon"]
[[tenant]]
id = "a"
name = "A"
places = ["b1"]
[[tenant]]
id = "a"
name = "again"
[[limit]]
id = "none"
[[limit]]
id = "day"
day = 100
[[meter]]
id = 5
[wrong]
""", encoding="utf-8")
    spec = read_energy(tmp_path)
    assert [tenant.name for tenant in spec.tenants] == ["A"]
    assert [limit.id for limit in spec.limits] == ["day"]
    assert len(spec.holidays) == 3
    assert len(spec.findings) == 5
    assert all(finding.mend and "energy.toml" in finding.where for finding in spec.findings)


def solar_tree() -> tuple[MeterTree, Accounts]:
    """The park draws from the grid by G; b1 by A, before which PV1 feeds in; b2 by B, behind which PV2 does; F in r1."""
    meters = {"G": ("park", "park"), "A": ("b1", "b1"), "B": ("b2", "b2"), "F": ("r1", "r1"), "PV1": ("b1", "A"),
              "PV2": ("b2", "b2")}
    graph = graph_of({name: place for name, (place, _) in meters.items()})
    points = PointTable([Device(id=name, kind="pv_inverter" if name.startswith("PV") else "meter", name=name, feeds=feeds)
                         for name, (_, feeds) in meters.items()], KINDS)
    tree = meter_tree(meters_of(points, graph, BARE), points, graph, BARE)
    return tree, Accounts(tree, graph, areas_of(graph), EnergySpec(meters={}, tenants=(
        Tenant(id="acme", name="Acme", places=("b1",)), Tenant(id="sunny", name="Sunny", places=("b2",)))))


def test_what_the_sun_gives_is_used_once_and_no_loss_and_no_meter_too_much() -> None:
    """b1 uses 100, of which the roof gives 30; b2 uses 50, of which 20: the grid gives 100."""
    tree, accounts = solar_tree()
    graph, use = accounts._graph, {"G": 100.0, "A": 100.0, "B": 30.0, "F": 40.0, "PV1": 30.0, "PV2": 20.0}
    for place, used, made in (("park", 150, 50), ("b1", 100, 30), ("b2", 50, 20), ("r1", 40, 0), ("r2", 60 * 300 / 500, 0)):
        node = graph.index(place)
        assert amount(accounts.of(node, "electricity"), use, tree) == pytest.approx(used), place
        assert amount(accounts.sources(node, "electricity"), use, tree) == made, place
    assert amount(accounts.of_tenant("sunny", "electricity"), use, tree) == 50
    assert amount(accounts.sources_of_tenant("acme", "electricity"), use, tree) == 30
    rows = balances(tree, np.array([use[meter.id] for meter in tree.meters]), np.ones(len(tree.meters)))
    told = {tree.meters[supply.meters[0]].id: row for supply, row in zip(tree.supplies, rows, strict=True)}
    assert (told["G"].used, told["G"].made, told["G"].below, told["G"].state) == (130, 30, 130, "sound")
    assert (told["B"].used, told["B"].made, told["B"].state) == (50, 20, "leaf")
    assert sum(row.lost for row in rows if row.state != "leaf") == pytest.approx(60), "what of b1 has no meter"


def test_a_silent_inverter_makes_the_balance_above_it_uncertain() -> None:
    tree, _ = solar_tree()
    known = np.array([0.0 if meter.id == "PV1" else 1.0 for meter in tree.meters])
    row = balances(tree, np.where(known > 0, 10.0, np.nan), known)[tree.roots("electricity")[0]]
    assert (row.state, [tree.meters[m].id for m in row.silent]) == ("uncertain", ["PV1"])
