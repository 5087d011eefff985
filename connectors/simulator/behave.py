"""Every point's value at an instant, from its pack's `simulate` behaviour, as columns over all slots."""

from __future__ import annotations

import copy
import math

import numpy as np
from numpy.typing import NDArray

from connectors.simulator.chance import normal, seed_of, uniform
from connectors.simulator.climate import DAY_SECS, Climate, Site, climate_at
from twin.packs import Constant, Diurnal, Follow, Integrate, States
from twin.registry import PointTable

_EPOCH = 1_767_225_600.0  # 2026-01-01 UTC: totals count from here
_IDLE = frozenset({"off", "fault", "standby", "offline", "free", "finished"})
_DRIVEN = frozenset({"power", "flow", "cooling", "load", "fan_speed", "speed", "output", "level"})
_COUNTS = frozenset({"people", "passes", "trips", "free", "total", "floor"})
_TODAY = frozenset({"passes", "trips"})
_RESTING = ("dormitor", "residence", "宿舍", "公寓")


class Behaviours:
    """Columns of behaviours; small state: followers, chance states and totals. One thread uses it.

    Args:
        points: every point of the park.
        site: for local hours and the sun.
        seed: of all chance.
    """

    def __init__(self, points: PointTable, site: Site, seed: int) -> None:
        self.points, self.site, self.seed = points, site, seed
        n = len(points)
        self.value = np.zeros(n)
        self.noise = np.zeros(n)
        self.number = np.array([seed_of(i) for i in points.ids], np.uint64)
        self.held = np.full(n, np.nan)  # set by a command or an incident; NaN: behaves by itself
        self.held_until = np.full(n, np.inf)
        self.drift = np.zeros(n)  # added to what a follower approaches
        self._time = math.nan
        self._columns()
        self._relations()
        self._scale_meters()
        self._totals()

    def afresh(self) -> Behaviours:
        """The same behaviours with no state: as they are before their first instant."""
        other, n = copy.copy(self), len(self.points)
        other.value, other.held, other.held_until = np.zeros(n), np.full(n, np.nan), np.full(n, np.inf)
        other.drift, other._time, other.steady = np.zeros(n), math.nan, np.zeros(len(self.follow_slot))
        m = len(self.chance_slot)
        other.chance_value, other.next_change = np.zeros(m), np.full(m, -np.inf)
        return other

    # ---- set-up -------------------------------------------------------------------------------------------------

    def _columns(self) -> None:
        n, p = len(self.points), self.points
        self.base, self.amplitude, self.peak = np.zeros(n), np.zeros(n), np.full(n, 14.0)
        self.people, self.weather = np.zeros(n), np.zeros(n)
        self.low, self.high = np.full(n, -np.inf), np.full(n, np.inf)
        self.is_resting = np.zeros(n, bool)
        follow: list[tuple[int, int, float, float]] = []
        total: list[tuple[int, int, float]] = []
        chances: list[tuple[int, States, tuple[str, ...]]] = []
        rests = np.array([any(word in f"{d.name} {d.name_zh}".lower() for word in _RESTING) for d in p.devices], bool)
        if n:
            self.is_resting = rests[p.device]
        spreads = (0.9 + 0.2 * uniform(self.seed, self.number, 1)).tolist()
        for slot in range(n):
            index, spec = int(p.device[slot]), p.spec[slot]
            device, how = p.devices[index], p.kind[index].simulate.get(spec.key)
            if spec.type == "number" and spec.key != "energy":
                self.low[slot] = min(spec.low, 0.0) if spec.low is not None and spec.low <= 0 else -np.inf
            spread = spreads[slot]
            if isinstance(how, Constant):
                self.base[slot], self.noise[slot] = p.number(slot, how.value), how.noise
            elif isinstance(how, Diurnal):
                self.base[slot], self.amplitude[slot], self.peak[slot] = how.base, how.amplitude * spread, how.peak_hour
                self.people[slot], self.weather[slot], self.noise[slot] = how.occupancy, how.weather, how.noise
            elif isinstance(how, Follow):
                self.noise[slot] = how.noise
                follow.append((slot, p.slot(device.id, how.target) or 0, how.tau_secs, how.offset))
            elif isinstance(how, Integrate):
                total.append((slot, p.slot(device.id, how.of) or 0, how.start * spread))
            elif isinstance(how, States):
                chances.append((slot, how, spec.states))
            elif spec.type == "text":
                self.base[slot] = np.nan
            elif spec.low is not None and spec.high is not None:
                self.base[slot] = (spec.low + spec.high) / 2
        self.follow_slot = np.array([r[0] for r in follow], np.int64)
        self.follow_of = np.array([r[1] for r in follow], np.int64)
        self.follow_tau = np.array([r[2] for r in follow])
        self.follow_offset = np.array([r[3] for r in follow])
        self.total_slot = np.array([r[0] for r in total], np.int64)
        self.total_of = np.array([r[1] for r in total], np.int64)
        self.total_start = np.array([r[2] for r in total])
        self.is_number = np.array([s.type == "number" for s in p.spec], bool)
        self._chance_columns(chances)
        self.steady = np.zeros(len(follow))
        ranks: dict[int, int] = {}
        for slot, of, *_ in sorted(follow, key=lambda r: r[1] in {f[0] for f in follow}):
            ranks[slot] = ranks.get(of, -1) + 1
        self.follow_rank = np.array([ranks[r[0]] for r in follow], np.int64)

    def _chance_columns(self, chances: list[tuple[int, States, tuple[str, ...]]]) -> None:
        m = len(chances)
        self.chance_slot = np.array([c[0] for c in chances], np.int64)
        self.chance_busy = np.array([c[1].busy for c in chances])
        self.chance_count = np.array([len(c[1].dwell_secs) for c in chances], np.int64)
        self.chance_dwell, self.chance_share, self.chance_state = np.ones((m, 8)), np.zeros((m, 8)), np.zeros((m, 8))
        for row, (_, how, states) in enumerate(chances):
            for column, (name, dwell) in enumerate(how.dwell_secs.items()):
                self.chance_dwell[row, column] = dwell
                self.chance_share[row, column] = dwell * how.weights.get(name, 1.0)
                self.chance_state[row, column] = states.index(name)
        self.chance_value, self.next_change = np.zeros(m), np.full(m, -np.inf)

    def _relations(self) -> None:
        """Which state point stops which figures, and which sensors are the sky's."""
        driven, driver, idle = [], [], []
        self.sky: dict[str, list[int]] = {"temp": [], "irradiance": [], "output": []}
        for index, kind in enumerate(self.points.kind):
            state = next((s for s in kind.points if s.key in ("status", "state", "mode") and s.states), None)
            for slot in self.points.slots_of(index):
                key = self.points.spec[slot].key
                if kind.id == "weather" and key in ("temp", "irradiance"):
                    self.sky[key].append(slot)
                if kind.id == "pv_inverter" and key == "output":
                    self.sky["output"].append(slot)
                if state is not None and key in _DRIVEN:
                    driven.append(slot)
                    driver.append(self.points.slot(self.points.devices[index].id, state.key) or 0)
                    idle.append([name in _IDLE for name in state.states] + [False] * (8 - len(state.states)))
        self.driven, self.driver = np.array(driven, np.int64), np.array(driver, np.int64)
        self.idle = np.array(idle, bool).reshape(-1, 8)
        keys = [spec.key for spec in self.points.spec]
        self.counts = np.array([k for k, key in enumerate(keys) if key in _COUNTS], np.int64)
        self.today = np.array([k for k, key in enumerate(keys) if key in _TODAY], np.int64)
        for slots in self.sky.values():
            self.noise[slots] = 0.0
        self.noise[self.today] = 0.0

    def _scale_meters(self) -> None:
        """Meters add up: a storey's by its rooms, a building's is the sum of its storeys, the park's of its buildings."""
        p = self.points
        self.sum_of: list[tuple[int, NDArray[np.int64], NDArray[np.float64]]] = []
        storeys: dict[str, list[int]] = {}
        buildings: dict[str, int] = {}
        park: list[int] = []
        for index, device in enumerate(p.devices):
            if p.kind[index].id != "meter":
                continue
            for key in ("power", "current"):
                slot = p.slot(device.id, key)
                if slot is None:
                    continue
                if device.space:
                    size = 0.05 + 0.25 * float(uniform(self.seed, self.number[slot], 2)[0])
                elif device.storey:
                    size = 0.45 + 0.5 * float(uniform(self.seed, self.number[slot], 2)[0])
                    storeys.setdefault(f"{device.building}/{key}", []).append(slot)
                else:
                    size = 4.0
                    if device.building:
                        buildings[f"{device.building}/{key}"] = slot
                    else:
                        park.append(slot)
                self.base[slot] *= size
                self.amplitude[slot] *= size
                self.noise[slot] *= min(size, 1.0)
        for name, slot in buildings.items():
            if storeys.get(name):
                self.sum_of.append((slot, np.array(storeys[name]), np.full(len(storeys[name]), 1.06)))
        for slot in park:
            key = p.spec[slot].key
            parts = [s for name, s in buildings.items() if name.endswith(f"/{key}")]
            made = list(self.sky["output"]) if key == "power" else []  # what the sun gives need not come from the grid
            if parts:
                self.sum_of.append((slot, np.array(parts + made), np.repeat([1.0, -1.0], [len(parts), len(made)])))

    def _totals(self) -> None:
        """Mean rates by quarter hour of a working day, so that a total is a function of the instant."""
        if not len(self.total_slot):
            self.total_day, self.total_table = np.zeros(0), np.zeros((97, 0))
            return
        monday = _EPOCH + 4 * DAY_SECS - self.site.utc_offset_hours * 3600
        rates = np.array(
            [self._plain(climate_at(monday + q * 900.0, self.site, self.seed))[self.total_of] for q in range(96)]
        )
        self.total_table = np.vstack([np.zeros(len(self.total_of)), np.cumsum(np.maximum(rates, 0.0) * 0.25, axis=0)])
        self.total_day = self.total_table[-1]

    # ---- the instant --------------------------------------------------------------------------------------------

    def _plain(self, sky: Climate) -> NDArray[np.float64]:
        """What stateless behaviours give, without noise."""
        gap = (sky.hour - self.peak + 12.0) % 24.0 - 12.0
        curve = np.exp(-0.5 * (gap / 4.2) ** 2)
        present = np.where(self.is_resting, sky.resting, sky.working)
        weights = (
            (1.0 - self.people - self.weather) * curve
            + self.people * present * (0.55 + 0.45 * curve)
            + self.weather * sky.load * curve * 1.15
        )
        value = self.base + self.amplitude * np.clip(weights, 0.0, 1.25)
        value[self.sky["temp"]] = sky.outdoor_c
        value[self.sky["irradiance"]] = 1000.0 * sky.sun
        share = min(max((sky.hour - 6.0) / 16.0, 0.0), 1.0)
        value[self.today] = (self.base + self.amplitude)[self.today] * share * share * (3.0 - 2.0 * share)
        out = self.sky["output"]
        value[out] = 1.1 * self.amplitude[out] * sky.sun
        for slot, parts, weight in self.sum_of:
            value[slot] = value[parts] @ weight
        return value

    def at(self, now: float) -> NDArray[np.float64]:
        """All values at an instant; call with times that do not go back (a step back starts the small state anew)."""
        sky = climate_at(now, self.site, self.seed)
        fresh = not now >= self._time
        gone = 0.0 if fresh else now - self._time
        self._time = now
        value = self._plain(sky)
        turn = np.floor(now / np.maximum(self.points.period, 1.0)).astype(np.int64)
        shake = np.flatnonzero(self.noise > 0)
        value[shake] += self.noise[shake] * normal(self.seed, self.number[shake], turn[shake])
        self._draw_states(value, sky, now, fresh)
        done = self.held_until <= now
        self.held[done], self.held_until[done] = np.nan, np.inf
        held = np.isfinite(self.held)
        value[held] = self.held[held]
        stopped = self.idle[np.arange(len(self.driven)), np.clip(value[self.driver], 0, 7).astype(int)]
        value[self.driven[stopped & ~held[self.driven]]] = 0.0
        self._follow(value, gone, fresh, held)
        self._sum(value, now, held)
        number = self.is_number & ~held
        value[number] = np.maximum(value[number], self.low[number])
        value[self.counts] = np.floor(np.maximum(value[self.counts], 0.0) + 0.5)
        self.value = value
        return value

    def _draw_states(self, value: NDArray[np.float64], sky: Climate, now: float, fresh: bool) -> None:
        """Move on the chance states whose time is over: by day the busy ones are longer, by night the first one is."""
        if not len(self.chance_slot):
            return
        due = np.arange(len(self.chance_slot)) if fresh else np.flatnonzero(now >= self.next_change)
        if len(due):
            slot, turn = self.chance_slot[due], int(now)
            present = np.where(self.is_resting[slot], sky.resting, sky.working)[:, None]
            busy = self.chance_busy[due][:, None]
            share = self.chance_share[due] * np.where(np.arange(8) == 0, 1.0, 1.0 - busy + busy * present * 1.6)
            edge = np.cumsum(share, axis=1)
            pick = uniform(self.seed + 3, self.number[slot], turn)[:, None] * edge[:, -1:]
            column = np.minimum((pick >= edge).sum(axis=1), self.chance_count[due] - 1)
            rows = np.arange(len(due))
            dwell = self.chance_dwell[due][rows, column]
            wait = -np.log(np.maximum(uniform(self.seed + 5, self.number[slot], turn), 1e-6)) * dwell
            self.chance_value[due] = self.chance_state[due][rows, column]
            self.next_change[due] = now + np.clip(wait, 3.0, 4.0 * dwell)
        value[self.chance_slot] = self.chance_value

    def _follow(self, value: NDArray[np.float64], gone: float, fresh: bool, held: NDArray[np.bool_]) -> None:
        """Move followers towards what they follow; those that follow a follower come after it."""
        for rank in range(int(self.follow_rank.max(initial=-1)) + 1):
            k = np.flatnonzero(self.follow_rank == rank)
            slot = self.follow_slot[k]
            goal = value[self.follow_of[k]] + self.follow_offset[k] + self.drift[slot]
            before = goal if fresh else self.steady[k]
            self.steady[k] = goal + (before - goal) * np.exp(-gone / self.follow_tau[k])
            free = ~held[slot]
            value[slot[free]] += self.steady[k][free]  # what is there already is the noise
            self.steady[k[~free]] = value[slot[~free]]

    def totals(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """f64 (instants, totals): what counters show that nobody holds, in the order of `total_slot`."""
        local = np.asarray(times, np.float64) + self.site.utc_offset_hours * 3600.0 - _EPOCH
        days, quarter = np.divmod(local, DAY_SECS)
        at = quarter / 900.0
        k = at.astype(int)
        table, share = self.total_table, (at - k)[:, None]
        cumulated = table[k] + (table[np.minimum(k + 1, 96)] - table[k]) * share
        return self.total_start + days[:, None] * self.total_day + cumulated

    def _sum(self, value: NDArray[np.float64], now: float, held: NDArray[np.bool_]) -> None:
        if not len(self.total_slot):
            return
        total = self.totals(np.array([now]))[0]
        free = ~held[self.total_slot]
        value[self.total_slot[free]] = total[free]
        for slot, parts, weight in self.sum_of:
            value[slot] = value[parts] @ weight
