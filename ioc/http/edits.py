"""Edits of the park: the draft, one edit, undo and redo, snapping to footprints, publishing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Body, Query
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from ioc.access.person import Person, require
from ioc.edit_desk import Asked
from ioc.services import Services
from twin import access
from twin.edits import Change
from twin.overrides import FARTHEST_M, OverrideError

Metres = Annotated[float, Query(ge=-FARTHEST_M, le=FARTHEST_M, allow_inf_nan=False)]
_DONE = {"edit": ("edit.made", "made", "修改"), "undo": ("edit.undone", "undone", "撤销"),
         "redo": ("edit.redone", "redone", "重做")}


def router(services: Services) -> APIRouter:
    """Routes under `/edits`."""
    routes = APIRouter(tags=["edits"])
    desk, runner = services.edits, services.runner

    async def done(who: Person, change: Change) -> dict[str, Any]:
        what, word, word_zh = _DONE[change.do]
        await runner.call(lambda: runner.core.note(who.user, what, change.key, text=f"Edit '{change.key}' {word}",
                                                   text_zh=f"园区编辑「{change.key}」{word_zh}"))
        return await run_in_threadpool(desk.view)

    @routes.get("/edits")
    async def edits() -> dict[str, Any]:
        """The draft, the journal's last lines, where every building stands, and how far a build is."""
        _may("reading the edits")
        return await run_in_threadpool(desk.view)

    @routes.post("/edits")
    async def edit(version: Annotated[int, Body(ge=0)], edit: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
        """Make one edit. 409 names who changed the same thing since `version`."""
        who = _may("editing the park")
        try:
            asked = msgspec.convert(edit, Asked)  # type: ignore[arg-type]
        except msgspec.ValidationError as error:
            raise OverrideError(f"the edit is not complete: {error}", mend="see docs/how-to/edit-the-park.md",
                                code="edit.shape", fill={"why": str(error)}) from error
        return await done(who, await run_in_threadpool(desk.edit, asked, who.user, version))

    @routes.delete("/edits")
    async def remove(key: Annotated[str, Query(max_length=400)], version: Annotated[int, Query(ge=0)]) -> dict[str, Any]:
        """Take an edit out, back to what the sources say."""
        who = _may("editing the park")
        return await done(who, await run_in_threadpool(desk.remove, key, who.user, version))

    @routes.get("/edits/footprints")
    async def footprints() -> dict[str, Any]:
        """Outlines of buildings on the map layers."""
        _may("reading the edits")
        return {"footprints": await run_in_threadpool(desk.footprints)}

    @routes.get("/edits/snap")
    async def snap(building: Annotated[str, Query(max_length=200)], x: Metres, y: Metres, heading: Metres) -> dict[str, Any]:
        """The footprint a building fits best near a place, with the residual in metres; null where there is none."""
        _may("reading the edits")
        found = await run_in_threadpool(desk.snap, building, x, y, heading)
        return {"snap": None if found is None else {"footprint": found.footprint, "at": found.at, "heading": found.heading,
                                                    "residual_m": found.residual_m}}

    @routes.post("/edits/publish", status_code=202)
    async def publish() -> JSONResponse:
        """Write the edits beside the sources and build; `GET /edits/publish` tells how far it is."""
        who = _may("publishing edits")
        await run_in_threadpool(desk.publish, who.user)
        await runner.call(lambda: runner.core.note(who.user, "edit.published", "park", text_zh="发布园区编辑，重新编译",
                                                   text="Edits published: the park is built"))
        return JSONResponse(desk.publisher.state(), 202)

    @routes.get("/edits/publish")
    async def progress() -> dict[str, Any]:
        """`{state: idle | building | built | failed, stage, done, total, error, mend}`."""
        _may("reading the edits")
        return desk.publisher.state()

    @routes.post("/edits/{do}")
    async def step(do: Literal["undo", "redo"], version: Annotated[int, Body(ge=0, embed=True)]) -> dict[str, Any]:
        """Undo the last edit, or do the one undone last again. 409 names who changed anything since `version`."""
        who = _may("editing the park")
        return await done(who, await run_in_threadpool(desk.step, do, who.user, version))

    return routes


def _may(doing: str) -> Person:
    who = require("viewer", doing)
    access.require(who.role, "edit")
    return who
