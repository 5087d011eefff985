"""Contenders over the same files, turn by turn, so that a noisy moment of the machine falls on all of them."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from parktwin.bench.child import Failed
from parktwin.bench.contenders import OURS, Contender, Made
from parktwin.bench.rows import Row


@dataclass(frozen=True, slots=True)
class Result:
    """What one contender came to: its runs, or why there are none."""

    name: str
    runs: list[list[Made]] = field(default_factory=list)
    fault: str = ""

    def figure(self, of: Callable[[Made], float], together: Callable[[Sequence[float]], float] = sum) -> float:
        """The median over the rounds of a figure put together over the files."""
        return statistics.median(float(together([of(made) for made in turn])) for turn in self.runs)


def race(contenders: Sequence[Contender], groups: Sequence[Sequence[Path]], scratch: Path, rounds: int,
         tell: Callable[[str], None] = lambda what: None) -> list[Result]:
    """Every contender converts every group of files in a fresh process, contenders in turn, `rounds` times over."""
    results = [Result(c.name, fault=c.absent) for c in contenders]
    for turn in range(rounds):
        made: dict[str, list[Made]] = {c.name: [] for c in contenders}
        for number, files in enumerate(groups):
            order = contenders if (turn + number) % 2 == 0 else list(reversed(contenders))
            for contender in order:
                row = next(k for k, result in enumerate(results) if result.name == contender.name)
                if results[row].fault:
                    continue
                folder = scratch / "out"
                shutil.rmtree(folder, ignore_errors=True)
                tell(f"{contender.name}: {', '.join(p.name for p in files)}")
                try:
                    made[contender.name].append(contender.make(files, folder))
                except Failed as error:
                    results[row] = Result(contender.name, fault=f"failed on {files[0].name}: {error}")
        for result in results:
            if not result.fault:
                result.runs.append(made[result.name])
    return results


def versus(results: Sequence[Result], what: str, unit: str, of: Callable[[Made], float], *,
           targets: dict[str, float] | None = None, bound: Literal["at most", "at least"] = "at most",
           together: Callable[[Sequence[float]], float] = sum, note: str = "", conditions: str = "") -> list[Row]:
    """Our figure beside each peer's, a row a peer; a peer that is not there has a row that says so."""
    ours = next(r for r in results if r.name == OURS)
    if ours.fault:
        return [Row(what=what, unit=unit, ours=float("nan"), note=f"{OURS} {ours.fault}", conditions=conditions)]
    figure = ours.figure(of, together)
    rows = []
    for peer in results:
        if peer.name == OURS:
            continue
        target = (targets or {}).get(peer.name)
        if peer.fault:
            rows.append(Row(what=f"{what}, against {peer.name}", unit=unit, ours=figure, conditions=conditions,
                            note=f"no peer: {peer.fault}" + (f"; target {target:g}× not judged" if target else "")))
            continue
        theirs = peer.figure(of, together)
        if theirs:
            rows.append(Row(what=f"{what}, against {peer.name}", unit=unit, ours=figure, peer=theirs, peer_name=peer.name,
                            target=target, bound=bound, note=note, conditions=conditions))
    return rows or [Row(what=what, unit=unit, ours=figure, note=note, conditions=conditions)]
