"""Bench rows tell the truth about targets and missing peers."""

import json

import pytest

from parktwin.bench.rows import Row, print_rows


def test_ratio_decides_where_there_is_a_peer() -> None:
    row = Row(what="build", unit="s", ours=9.0, peer=10.0, peer_name="other", target=0.8)
    assert row.ratio == pytest.approx(0.9)
    assert row.met is False


def test_without_a_peer_our_figure_decides_and_the_row_says_null(capsys: pytest.CaptureFixture[str]) -> None:
    row = Row(what="frames", unit="1/s", ours=24.0, target=20.0, bound="at least")
    print_rows([row], "t", "-")
    (read,) = json.loads(capsys.readouterr().out)
    assert read["peer"] is None
    assert read["ratio"] is None
    assert read["met"] is True
    assert list(read)[:6] == ["what", "ours", "peer", "ratio", "target", "met"]


def test_units_in_brackets_and_small_figures_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([Row(what="way", unit="s", ours=0.0004, peer=2.0, peer_name="other", note="said [b] once"),
                Row(what="two", unit="mm", ours=1234.5, note="said [b] once")], "t")
    shown = capsys.readouterr().out
    assert "way [s]" in shown
    assert "0.0004" in shown
    assert "two [mm]" in shown
    assert "1,234.50" in shown
    assert shown.count("said [b] once") == 1


def test_what_was_not_measured_is_neither_met_nor_missed(capsys: pytest.CaptureFixture[str]) -> None:
    row = Row(what="first frame", unit="s", ours=float("nan"), target=2.0, note="no browser")
    assert row.met is None
    print_rows([row], "t", "-")
    (read,) = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert read["ours"] is None
    print_rows([row], "t")
    assert "nan" not in capsys.readouterr().out
