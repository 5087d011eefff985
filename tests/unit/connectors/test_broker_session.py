"""The name under which a broker keeps our session: one a server and source."""

from __future__ import annotations

from pathlib import Path

from connectors.mqtt.line import session_of


def test_a_session_is_the_same_after_a_restart_and_its_own_for_each_server_and_source(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    one = session_of(state, "mqtt")
    assert session_of(state, "mqtt") == one
    assert session_of(state, "other") != one
    state.rename(tmp_path / "volume-a")
    state.mkdir()
    assert session_of(state, "mqtt") != one, "another server's volume, mounted at the same path"
