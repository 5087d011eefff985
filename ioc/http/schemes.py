"""Planning schemes: the list, one worked out, its GLB, the table as CSV and the comparison as PDF."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from ioc.access.person import current
from ioc.http.refusal import Refusal
from ioc.schemes import SchemeDesk
from ioc.services import Services
from scenes.schemes.file import month_day_of, read_rules
from scenes.schemes.listed import PRESENT, scheme_ids

Lang = Literal["zh", "en"]


def router(services: Services) -> APIRouter:
    """Routes under `/schemes`."""
    routes = APIRouter(tags=["schemes"])
    desk = SchemeDesk(services.spec, services.manifest, services.graph)

    def known(key: str) -> str:
        if key != PRESENT and key not in scheme_ids(services.spec):
            raise Refusal(404, f"there is no scheme '{key}'; put it into the park folder as schemes/{key}.toml",
                          "scheme.unknown", key=key)
        return key

    def on(day: str) -> tuple[int, int] | None:
        """The day of the sunlight; None where none is asked for or it is the one the rules name."""
        if not day:
            return None
        found = month_day_of(day)
        if found is None:
            raise Refusal(422, f"{day!r} is no day of the year; ask for one as 01-20", "scheme.day", day=day)
        return None if found == read_rules(services.spec.root / "rules.toml")[0].month_day else found

    @routes.get("/schemes")
    def schemes() -> dict[str, Any]:
        """Every scheme of the park folder with what is wrong in its file, and the planning condition."""
        return desk.listed()

    @routes.get("/schemes/report.pdf")
    async def report(a: str, b: str, lang: Lang = "zh", day: str = "") -> Response:
        """Two schemes compared, as PDF; sunlight on a day (01-20), the rules' own where none is given."""
        person, when = current(), on(day)
        wanted = [known(a), known(b)]

        def make() -> bytes:
            from ioc.reports.schemes import SchemeReport, scheme_report  # slow to load: the PDF writer and VTK

            return scheme_report(SchemeReport(
                build=services.build_dir, results=[desk.wait(key, when) for key in wanted], lang=lang,
                park=services.spec.name_zh or services.spec.name if lang == "zh" else services.spec.name,
                author=person.user if person else "", made=dt.datetime.now().astimezone()))
        body = await run_in_threadpool(make)
        headers = {"content-disposition": f'attachment; filename="schemes-{a}-{b}.pdf"', "cache-control": "no-store"}
        return Response(body, media_type="application/pdf", headers=headers)

    @routes.get("/schemes/indicators.csv")
    async def table(a: str, b: str, day: str = "") -> Response:
        """Both columns of the indicator table as CSV (UTF-8 with a mark, so that spreadsheets read it)."""
        one, other = [await run_in_threadpool(desk.wait, known(key), on(day)) for key in (a, b)]
        out = io.StringIO()
        lines = csv.writer(out)
        lines.writerow(["indicator", "unit", "limit", a, f"{a} passes", b, f"{b} passes"])
        columns = {row["key"]: row for row in other["indicators"]}
        for row in one["indicators"]:
            twin = columns.get(row["key"], {})
            lines.writerow([row["key"], row["unit"], _cell(row["limit"]), _cell(row["value"]), _cell(row["passes"]),
                            _cell(twin.get("value")), _cell(twin.get("passes"))])
        return Response("\ufeff" + out.getvalue(), media_type="text/csv; charset=utf-8",
                        headers={"content-disposition": 'attachment; filename="indicators.csv"'})

    @routes.get("/schemes/{key}")
    async def scheme(key: str, day: str = "") -> JSONResponse:
        """One scheme worked out, with the sunlight of a day (01-20); 202 with the share done while it is under way."""
        found = await run_in_threadpool(desk.ask, known(key), on(day))
        return JSONResponse(found, 202 if found["state"] == "working" else 200)

    @routes.get("/schemes/{key}/scheme.glb")
    def model(key: str) -> FileResponse:
        """The scheme's own buildings."""
        path = services.build_dir / "schemes" / known(key) / "scheme.glb"
        if not path.is_file() or not path.stat().st_size:
            raise Refusal(404, f"scheme '{key}' has no buildings of its own, or was not worked out yet", "scheme.no_model",
                          key=key)
        return FileResponse(path, media_type="model/gltf-binary")

    return routes


def _cell(value: float | bool | None) -> str:
    if value is None:
        return ""
    return ("yes" if value else "no") if isinstance(value, bool) else f"{value:.4f}"


