"""Schemes worked out for browsers: one at a time in a thread of its own, with progress; ready ones come from disk."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from scenes.schemes.file import read_rules, read_scheme
from scenes.schemes.listed import PRESENT, content_hash, fault_document, scheme_ids
from twin.errors import TwinError
from twin.graph import SceneGraph
from twin.park import ParkSpec

if TYPE_CHECKING:
    from scenes.schemes.result import Workshop

log = logging.getLogger(__name__)
#: Results of days other than the rule's are kept in memory alone: the latest of them.
DAYS_KEPT = 16
Day = tuple[int, int] | None


@dataclass(slots=True)
class _Job:
    """One scheme under way."""

    stamp: str
    step: str = "waiting"
    share: float = 0.0
    future: Future[dict[str, Any]] | None = None


class SchemeDesk:
    """The park's schemes: listed, worked out when asked for, remembered while their files stay as they are."""

    def __init__(self, spec: ParkSpec, manifest: dict[str, Any], graph: SceneGraph) -> None:
        self._spec, self._manifest, self._graph = spec, manifest, graph
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="schemes")
        self._jobs: OrderedDict[tuple[str, Day], _Job] = OrderedDict()
        self._lock = threading.Lock()

    @cached_property
    def _workshop(self) -> Workshop:
        from scenes.schemes.result import Workshop  # slow to load, and few ask

        return Workshop(self._spec, self._manifest, self._graph)

    def listed(self) -> dict[str, Any]:
        """Names, faults and the planning condition; nothing is worked out."""
        rules, faults = read_rules(self._spec.root / "rules.toml")
        rows: list[dict[str, Any]] = [{"id": PRESENT, "name": "Present", "name_zh": "现状", "faults": []}]
        for key in scheme_ids(self._spec):
            scheme, wrong = read_scheme(self._spec.root / "schemes" / f"{key}.toml")
            rows.append({"id": key, "name": scheme.name, "name_zh": scheme.name_zh,
                         "faults": [fault_document(f, f"{key}.toml") for f in wrong]})
        return {"schemes": rows, "rules": rules.name, "rules_zh": rules.name_zh, "site": rules.site_name,
                "site_zh": rules.site_name_zh, "day": f"{rules.month_day[0]:02d}-{rules.month_day[1]:02d}",
                "faults": [fault_document(f, "rules.toml") for f in faults]}

    def ask(self, key: str, day: Day = None) -> dict[str, Any]:
        """`{state: ready, result}`, `{state: working, step, share}` or `{state: failed, detail}`; starts the work.

        Args:
            day: (month, day) of the sunlight; None for the day the rules name.
        """
        job = self._job(key, day)
        assert job.future is not None
        if not job.future.done():
            return {"state": "working", "step": job.step, "share": job.share}
        error = job.future.exception()
        if error is not None:
            self._jobs.pop((key, day), None)  # asked again, it is tried again
        if isinstance(error, TwinError):
            return _failed(f"{error.what}; {error.mend}", code=error.code, fill=error.fill)
        if error is not None:
            log.error("scheme %s could not be worked out", key, exc_info=error)
            why = f"{key} could not be worked out ({type(error).__name__}); the server's log says why"
            return _failed(why, code="scheme.broken", fill={"key": key, "why": type(error).__name__})
        return {"state": "ready", "result": job.future.result()}

    def wait(self, key: str, day: Day = None) -> dict[str, Any]:
        """The result of a scheme, however long it takes.

        Raises:
            TwinError: it cannot be worked out.
        """
        future = self._job(key, day).future
        assert future is not None
        return future.result()

    def _job(self, key: str, day: Day) -> _Job:
        stamp = content_hash(self._spec, self._manifest, key) if key == PRESENT or key in scheme_ids(self._spec) else ""
        with self._lock:
            job = self._jobs.get((key, day)) if stamp else None
            if job is None or job.stamp != stamp:
                job = _Job(stamp)
                job.future = self._pool.submit(self._work, key, day, job)
                if stamp:
                    self._jobs[key, day] = job
            if stamp:
                self._jobs.move_to_end((key, day))
            others = [name for name, old in self._jobs.items() if name[1] and old.future and old.future.done()]
            for name in others[:-DAYS_KEPT]:
                del self._jobs[name]
            return job

    def _work(self, key: str, day: Day, job: _Job) -> dict[str, Any]:
        def progress(step: str, share: float) -> None:
            job.step, job.share = step, share
        return self._workshop.work_out(key, progress, day=day)

    def close(self) -> None:
        """Nothing more is started."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _failed(detail: str, *, code: str, fill: dict[str, str | float]) -> dict[str, Any]:
    """A scheme that cannot be worked out, as pages say it in their own words."""
    return {"state": "failed", "detail": detail, "code": code, "fill": fill}
