"""Sign-in links of the wall's screens: an admin makes, lists and revokes them; a screen comes in by one."""

from __future__ import annotations

from typing import Annotated, Any

import jinja2
from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, Field

from ioc.access.guard import COOKIE
from ioc.access.person import Person
from ioc.access.person import require as require_person
from ioc.access.screens import Screen
from ioc.pages.view import TEMPLATES
from ioc.services import Services
from twin.access import require
from twin.errors import AccessDenied

COOKIE_SECS = 400 * 24 * 3600
_pages = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True)


class NewScreen(BaseModel):
    """What to call it: where it hangs."""

    name: str = Field(min_length=1, max_length=64)


def router(services: Services) -> APIRouter:
    """Routes under `/api/v1` for admins."""
    routes = APIRouter(tags=["wall"])
    screens, core = services.screens, services.runner.core

    def admin() -> Person:
        who = require_person("viewer", "reading the links")
        require(who.role, "users")
        return who

    def note(who: str, what: str, screen: Screen, text: str, text_zh: str) -> None:
        services.runner.submit(lambda: core.note(who, what, f"screen:{screen.id}", text=f"{text}: {screen.name}",
                                                 text_zh=f"{text_zh}：{screen.name}"))

    @routes.get("/wall/screens")
    def listed() -> dict[str, Any]:
        """Every link, without its secret."""
        admin()
        return {"screens": [told(screen) for screen in screens.all()]}

    @routes.post("/wall/screens")
    def make(body: NewScreen) -> dict[str, Any]:
        """A new link; `path` holds its secret and is told this once."""
        who = admin()
        made, secret = screens.make(body.name, who.user)
        note(who.user, "screen.made", made, "wall link made", "新建大屏链接")
        return {"screen": told(made), "path": f"/screen#{secret}"}

    @routes.delete("/wall/screens/{number}")
    def revoke(number: str) -> dict[str, Any]:
        """Ends a link; its screens go dark at once."""
        who = admin()
        gone = screens.revoke(number)
        note(who.user, "screen.revoked", gone, "wall link revoked", "撤销大屏链接")
        return {"screen": told(gone)}

    return routes


def told(screen: Screen) -> dict[str, Any]:
    """A link for the page; times in ms since 1970 UTC."""
    def ms(secs: float | None) -> float | None:
        return None if secs is None else secs * 1000

    return {"id": screen.id, "name": screen.name, "made_by": screen.made_by, "made_ms": ms(screen.made),
            "opened_ms": ms(screen.opened), "revoked_ms": ms(screen.revoked)}


def door(services: Services) -> APIRouter:
    """`/screen`, open to everyone: the secret after the # never reaches a log; the page sends it on."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/screen")
    def page() -> HTMLResponse:
        return HTMLResponse(_pages.get_template("screen.html").render())

    @routes.post("/screen")
    def come_in(secret: Annotated[str, Form(max_length=100)]) -> Response:
        try:
            screen, cookie = services.screens.open(secret)
        except AccessDenied as error:
            return JSONResponse({"detail": f"{error.what}; {error.mend}"}, 403)
        services.runner.submit(lambda: services.runner.core.note(
            f"screen:{screen.id}", "sign-in", f"screen:{screen.id}", text=f"wall screen {screen.name} signed in",
            text_zh=f"大屏 {screen.name} 登录"))
        answer = Response(status_code=204)
        answer.set_cookie(COOKIE, cookie, max_age=COOKIE_SECS, httponly=True, samesite="lax", secure=services.is_https,
                          path="/")
        return answer

    return routes
