"""Points, derived points and rules as plain objects, one reading at a time: what the compiled walk must agree with."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from twin.packs import AlarmRule
from twin.wire import Quality

PERIODS = 3.0
Said = tuple[str, bool, float]


@dataclass
class PlainRule:
    """One rule in plain words. `kind`: as in packs, or 'true' for what suppresses another rule."""

    key: str
    kind: str
    limit: float = 0.0
    hysteresis: float = 0.0
    on_delay: float = 0.0
    off_delay: float = 0.0
    active: bool = False
    since: float | None = None
    held: float | None = None

    @staticmethod
    def of(spec: AlarmRule, device: str) -> PlainRule:
        kind = "true" if spec.rule == "expression" else spec.rule
        return PlainRule(f"{device}.{spec.key}", kind, spec.limit or 0.0, spec.hysteresis, spec.on_delay_secs,
                         spec.off_delay_secs)

    def settle(self, time: float, out: list[Said]) -> None:
        delay = self.off_delay if self.active else self.on_delay
        if self.since is not None and time - self.since >= delay:
            at = self.since + delay
            self.active, self.since = not self.active, None
            out.append((self.key, self.active, at))

    def hold(self, time: float) -> None:
        if self.since is not None:
            self.held, self.since = max(time - self.since, 0.0), None

    def judge(self, wrong: bool, time: float, out: list[Said]) -> None:
        if wrong == self.active:
            self.since = self.held = None
            return
        if self.since is None:
            self.since, self.held = time - (self.held or 0.0), None
        self.settle(time, out)

    def wrong(self, value: float, before: float, elapsed: float) -> bool:
        slack = self.hysteresis if self.active else 0.0
        if self.kind == "high":
            return value > self.limit - slack
        if self.kind == "low":
            return value < self.limit + slack
        if self.kind == "state":
            return value == self.limit
        if self.kind == "deviation":
            return abs(value) > self.limit - slack
        if self.kind == "true":
            return value != 0
        return elapsed > 0 and abs(value - before) / elapsed * 60.0 > self.limit - slack


@dataclass
class PlainPoint:
    """One point. With `work` it is worked out from `inputs` (points), which may be worked out themselves."""

    name: str
    period: float
    rules: list[PlainRule] = field(default_factory=list)
    inputs: list[PlainPoint] = field(default_factory=list)
    work: Callable[..., float] | None = None
    value: float = math.nan
    quality: int = int(Quality.NEVER)
    source: float = 0.0
    received: float = 0.0
    quiet: float = math.inf
    waits: float | None = None

    def needs(self) -> list[PlainPoint]:
        """Derived points this one needs, directly or by way of others."""
        found: list[PlainPoint] = []
        for one in self.inputs:
            if one.work is not None:
                found += [two for two in [*one.needs(), one] if two not in found]
        return found

    def judge_all(self, fresh: float, quality: int, time: float, quiet: float, out: list[Said]) -> None:
        for rule in self.rules:
            if rule.kind == "stale":
                rule.judge(False, time, out)
                continue
            rule.settle(min(time, quiet), out)
            if time > quiet:
                rule.hold(quiet)
            if quality == Quality.BAD:
                rule.hold(time)
            else:
                trusted = math.isfinite(self.value) and self.quality < Quality.BAD
                rule.judge(rule.wrong(fresh, self.value, time - self.source if trusted else 0.0), time, out)

    def take(self, fresh: float, quality: int, time: float, now: float) -> None:
        if math.isfinite(fresh):
            self.value = fresh
        self.quality, self.source, self.received = quality, time, now

    def work_out(self, now: float, out: list[Said]) -> None:
        self.waits = None
        if any(one.quality >= Quality.STALE for one in self.inputs):
            return
        assert self.work is not None
        quality = max(one.quality for one in self.inputs)
        time = max(one.source for one in self.inputs)
        values = [one.value for one in self.inputs]
        try:
            value = math.nan if any(map(math.isnan, values)) else float(self.work(*values))
        except ZeroDivisionError:
            value = math.nan
        if not math.isfinite(value):
            quality = int(Quality.BAD)
        self.judge_all(value, quality, time, self.quiet, out)
        self.quiet = min(one.source + PERIODS * one.period for one in self.inputs)
        self.take(value, quality, time, now)

    def work_out_first(self, now: float, out: list[Said], order: Sequence[PlainPoint]) -> None:
        for one in sorted(self.needs(), key=order.index):
            if one.waits is not None:
                one.work_out(now, out)
        self.work_out(now, out)

    def wait(self, now: float, out: list[Said]) -> None:
        if self.quality == Quality.NEVER:
            return
        elapsed = now - self.received
        if self.work is not None:
            until = min(self.source + elapsed, self.quiet)
            is_silent = any(one.quality >= Quality.STALE for one in self.inputs)
        else:
            until = self.source + min(elapsed, PERIODS * self.period)
            is_silent = elapsed > PERIODS * self.period
        if is_silent:
            self.quality = int(Quality.STALE)
        for rule in self.rules:
            if rule.kind == "stale":
                if self.quality == Quality.STALE and not rule.active and rule.since is None:
                    rule.since = until
                rule.settle(self.source + elapsed, out)
            else:
                rule.settle(until, out)
                if self.quality == Quality.STALE:
                    rule.hold(until)


@dataclass
class PlainField:
    """Heard points and worked-out ones (in the order in which they are worked out), and who waits."""

    heard: list[PlainPoint]
    worked: list[PlainPoint]
    waiting: list[PlainPoint] = field(default_factory=list)

    def read(self, at: int, value: float, quality: int, time: float, now: float, out: list[Said]) -> None:
        point = self.heard[at]
        if not math.isfinite(time) or time <= 0 or time > now + 300 or time <= point.source:
            return
        if not math.isfinite(value):
            quality = int(Quality.BAD)
        elif time > now + 5:
            quality = max(quality, int(Quality.UNCERTAIN))
        quality = min(quality, int(Quality.BAD))
        after = [one for one in self.worked if point in one.inputs or any(point in two.inputs for two in one.needs())]
        for one in after:
            if one.waits is not None and one.waits < time:
                one.work_out_first(now, out, self.worked)
        point.judge_all(value, quality, time, point.source + PERIODS * point.period, out)
        point.take(value, quality, time, now)
        for one in after:
            one.waits = time if one.waits is None else max(one.waits, time)
            if one not in self.waiting:
                self.waiting.append(one)

    def batch_over(self, now: float, out: list[Said]) -> None:
        for one in self.waiting:
            if one.waits is not None:
                one.work_out_first(now, out, self.worked)
        self.waiting = []

    def wait(self, now: float, out: list[Said]) -> None:
        for one in [*self.heard, *self.worked]:
            one.wait(now, out)
