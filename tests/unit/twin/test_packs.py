"""Packs hold together, or say what does not."""

from pathlib import Path

import pytest

from twin.errors import PackError
from twin.packs import Diurnal, argument_of, load_packs

PACK = """
id = "t"
name = "T"
name_zh = "测"
[[kinds]]
id = "thing"
name = "Thing"
name_zh = "物"
symbol = "dot"
points = [
  {{ key = "temp", name = "Temp", name_zh = "温度", unit = "°C" }},
  {{ key = "state", name = "State", name_zh = "状态", type = "state", states = ["off", "on"] }},
]
{more}
"""
RESPONSE = 'response = { owner = "me", owner_zh = "我", deadline_mins = 5, steps = ["look"], steps_zh = ["看"] }'


def pack_file(tmp_path: Path, more: str) -> Path:
    (tmp_path / "t.toml").write_text(PACK.format(more=more), encoding="utf-8")
    return tmp_path


def test_shipped_packs_hold_every_kind_the_park_needs() -> None:
    kinds = load_packs().kinds
    assert {"ahu", "fcu", "chiller", "cooling_tower", "pump", "env_sensor", "meter", "transformer", "pv_inverter",
            "lighting", "camera", "door", "gate", "intrusion", "smoke", "hydrant", "fire_pump", "lift", "water_meter",
            "parking", "charger", "weather", "screen", "speaker"} <= set(kinds)
    assert kinds["ahu"].pack == "hvac"
    assert isinstance(kinds["env_sensor"].simulate["co2"], Diurnal)


def test_every_shipped_alarm_has_somebody_who_answers_in_both_languages() -> None:
    for kind in load_packs().kinds.values():
        for rule in kind.alarms:
            assert len(rule.response.steps) == len(rule.response.steps_zh) > 0, f"{kind.id}.{rule.key}"


def test_every_shipped_point_is_simulated() -> None:
    for kind in load_packs().kinds.values():
        assert set(kind.simulate) == {point.key for point in kind.points if not point.is_derived}, kind.id


@pytest.mark.parametrize(("more", "says"), [
    ('alarms = [{ key = "a", point = "temp", rule = "high", limit = 1, name = "A", name_zh = "甲", priority = 1 }]',
     "response"),
    (f'alarms = [{{ key = "a", point = "nope", rule = "high", limit = 1, name = "A", name_zh = "甲", priority = 1, '
     f'{RESPONSE} }}]', "unknown point 'nope'"),
    (f'alarms = [{{ key = "a", point = "temp", rule = "high", name = "A", name_zh = "甲", priority = 1, {RESPONSE} }}]',
     "limit"),
    (f'alarms = [{{ key = "a", point = "state", rule = "state", state = "up", name = "A", name_zh = "甲", '
     f'priority = 1, {RESPONSE} }}]', "'up'"),
    (f'alarms = [{{ key = "a", point = "temp", rule = "high", limit = 1, name = "A", name_zh = "甲", priority = 9, '
     f'{RESPONSE} }}]', "alarms 'a', priority"),
    ('commands = [{ key = "c", name = "C", name_zh = "令", effect = "{device}", effect_zh = "{device}", '
     'sets = { state = "up" }, confirm = { point = "state", state = "on" } }]', "'up'"),
    ('commands = [{ key = "c", name = "C", name_zh = "令", effect = "{devise}", effect_zh = "{device}", '
     'sets = { state = "on" }, confirm = { point = "state", state = "on" } }]', "devise"),
    ('simulate = { state = { model = "states", dwell_secs = { broken = 5 } } }', "broken"),
    (f'alarms = [{{ key = "a", point = "temp", rule = "deviation", against = "state", limit = 1, name = "A", name_zh = "甲", '
     f'priority = 1, {RESPONSE} }}]', "compares with 'state'"),
    (f'alarms = [{{ key = "a", point = "temp", rule = "expression", name = "A", name_zh = "甲", priority = 1, {RESPONSE} }}]',
     "'when'"),
    (f'alarms = [{{ key = "a", point = "temp", rule = "expression", when = "tmp > 3", name = "A", name_zh = "甲", '
     f'priority = 1, {RESPONSE} }}]', "names 'tmp'"),
    (f'alarms = [{{ key = "a", point = "temp", rule = "high", limit = 1, suppress_when = \'state == "up"\', name = "A", '
     f'name_zh = "甲", priority = 1, {RESPONSE} }}]', "suppress_when"),
    ('colour = "red"', "colour"),
])
def test_a_pack_that_does_not_hold_together_is_refused_with_file_kind_and_key(tmp_path: Path, more: str,
                                                                             says: str) -> None:
    with pytest.raises(PackError, match="thing") as caught:
        load_packs([pack_file(tmp_path, more)])
    assert says in str(caught.value)
    assert "t.toml" in str(caught.value)
    assert caught.value.mend


def test_two_packs_may_not_claim_one_kind(tmp_path: Path) -> None:
    pack_file(tmp_path, "")
    (tmp_path / "u.toml").write_text(PACK.format(more="").replace('id = "t"', 'id = "u"'), encoding="utf-8")
    with pytest.raises(PackError, match="already in pack 't'"):
        load_packs([tmp_path])


def test_states_and_booleans_become_numbers() -> None:
    gate = load_packs().kinds["gate"].point("state")
    assert gate is not None
    assert gate.number_of("open") == 2.0
    assert gate.number_of(True) == 1.0
    assert gate.number_of("ajar") != gate.number_of("ajar")
    assert argument_of("{value}") == "value"
    assert argument_of("open") is None


@pytest.mark.parametrize(("points", "says"), [
    ('{ key = "a", name = "A", name_zh = "甲", expr = "b + 1" }, { key = "b", name = "B", name_zh = "乙", expr = "a + 1" }',
     "depends on itself"),
    ('{ key = "a", name = "A", name_zh = "甲", expr = "q + 1" }', "names 'q'"),
    ('{ key = "a", name = "A", name_zh = "甲", expr = "temp + 1", set = true }', "'set'")])
def test_a_derived_point_that_cannot_be_worked_out_is_told(tmp_path: Path, points: str, says: str) -> None:
    text = PACK.format(more="").replace("points = [", f"points = [{points}, ")
    (tmp_path / "t.toml").write_text(text, encoding="utf-8")
    with pytest.raises(PackError, match=r"t\.toml:") as told:
        load_packs([tmp_path])
    assert says in told.value.what
    assert told.value.mend
