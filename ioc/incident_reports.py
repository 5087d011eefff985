"""Incident reports written for browsers: one at a time in a thread of its own, with progress; the last few are kept."""

from __future__ import annotations

import datetime as dt
import logging
import secrets
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from ioc.incident_facts import Lang, gather
from ioc.services import Services
from ioc.stills import StillDesk
from twin.errors import TwinError
from twin.parktime import zone_of

log = logging.getLogger(__name__)
KEPT, WAITING = 8, 3


class ReportError(TwinError):
    """A report cannot be written now."""


@dataclass(slots=True)
class _Job:
    """One report under way or ready."""

    incident: int
    lang: Lang
    user: str
    sees_people: bool
    step: str = "record"
    share: float = 0.0
    future: Future[bytes] | None = None


class ReportDesk:
    """Reports asked for, and stills by the same thread. Safe from several threads."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="reports")
        self.stills = StillDesk(services, self._pool)
        self._jobs: dict[str, _Job] = {}
        self._lock = threading.Lock()

    def ask(self, incident: int, lang: Lang, user: str, *, sees_people: bool) -> str:
        """Begin a report; its key. One that the same person waits for already is not begun again.

        Raises:
            ReportError: too many wait.
        """
        with self._lock:
            waiting = {key: job for key, job in self._jobs.items() if job.future is not None and not job.future.done()}
            same = next((key for key, job in waiting.items()
                         if (job.incident, job.lang, job.user, job.sees_people) == (incident, lang, user, sees_people)), "")
            if same:
                return same
            if len(waiting) >= WAITING:
                raise ReportError("reports are being written for others", mend="try again in a minute",
                                  code="report.busy")
            for old in [key for key in self._jobs if key not in waiting][: max(0, len(self._jobs) + 1 - KEPT)]:
                del self._jobs[old]
            key, job = secrets.token_urlsafe(12), _Job(incident, lang, user, sees_people)
            self._jobs[key] = job
            job.future = self._pool.submit(self._write, job)
            return key

    def state(self, key: str, user: str) -> dict[str, Any] | None:
        """How far a report is: working (step, share), ready (bytes) or failed (detail); None for another's or an old one."""
        job = self._job(key, user)
        if job is None or job.future is None:
            return None
        if not job.future.done():
            return {"state": "working", "step": job.step, "share": round(job.share, 3)}
        error = job.future.exception()
        if error is None:
            return {"state": "ready", "bytes": len(job.future.result())}
        if not isinstance(error, TwinError):
            log.error("the report of incident %s could not be written", job.incident, exc_info=error)
            kind = type(error).__name__
            error = ReportError(f"the report could not be written ({kind})", mend="the server's log says why",
                                code="report.broken", fill={"kind": kind})
        return {"state": "failed", "detail": f"{error.what}; {error.mend}", "code": error.code, "fill": error.fill}

    def document(self, key: str, user: str) -> tuple[bytes, str] | None:
        """The PDF and its name, when it is ready."""
        job = self._job(key, user)
        if job is None or job.future is None or not job.future.done() or job.future.exception() is not None:
            return None
        return job.future.result(), f"incident-{job.incident}-{job.lang}.pdf"

    def _job(self, key: str, user: str) -> _Job | None:
        job = self._jobs.get(key)
        return job if job is not None and job.user == user else None

    def _write(self, job: _Job) -> bytes:
        from ioc.reports.incident import IncidentReport, incident_report  # slow to load: the PDF writer

        def told(step: str, share: float) -> None:
            job.step, job.share = step, share

        facts = gather(self._services, job.incident, told, sees_people=job.sees_people)
        told("document", 0.85)
        spec = self._services.spec
        zone = ZoneInfo(zone_of(spec))
        return incident_report(IncidentReport(
            facts=facts, park=(spec.name_zh if job.lang == "zh" else "") or spec.name, author=job.user,
            made=dt.datetime.now(zone), zone=zone, lang=job.lang))
