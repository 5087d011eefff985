"""Which alarms are rows of their own on the console, run in node as pages run it."""

from __future__ import annotations

import json
from pathlib import Path

from in_node import run_in_node

RUN = """
import { forgetFloods, heardFloods, rowsOf } from "SOURCE/app/alarms/groups";
const [count, told] = JSON.parse(process.argv[2]), all = Array.from({ length: count }, (_, k) => ({ id: k + 1 }));
const rows = () => rowsOf(all).map((a) => a.id), before = rows();
heardFloods({ t: "floods", ...told });
const then = rows();
forgetFloods();
console.log(JSON.stringify([before, then, rows()]));
"""


def test_a_flood_is_one_row_whatever_its_size_and_few_of_what_it_does_not_know_yet_are_shown(tmp_path: Path) -> None:
    told = {"groups": [{"count": 4998, "alarms": [1, 2, 3]}], "alone": [7, 4000], "upto": 5000}
    before, then, after = json.loads(run_in_node(tmp_path, RUN, json.dumps([6000, told])))
    everything = list(range(1, 6001))
    assert before == everything, "where nobody tells of floods every alarm is a row"
    assert then == [7, 4000, *range(5001, 5021)]
    assert after == everything
