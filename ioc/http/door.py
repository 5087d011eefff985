"""Sign-in, set-up, sign-out, and who am I."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

import jinja2
from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ioc.access.accounts import DEMO_USER, SECOND_DEMO_USER, LockedOut
from ioc.access.guard import COOKIE, cookie_of
from ioc.access.person import require
from ioc.pages.view import TEMPLATES
from ioc.services import Services
from twin.errors import AccessDenied

DEMO_NAMES = {DEMO_USER: "演示", SECOND_DEMO_USER: "演示（第二人）"}
_pages = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True)


def safe_next(target: str) -> str:
    """A path on this server to go on to; anything else becomes `/`."""
    parts = urlsplit(target)
    is_here = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc
    return target if is_here and target.isprintable() else "/"


def router(services: Services) -> APIRouter:
    """Routes that answer without a session (see the guard's list), and sign-out."""
    routes = APIRouter(include_in_schema=False)
    accounts = services.accounts

    def page(status: int = 200, error: str = "", onward: str = "/", setup: bool = False) -> HTMLResponse:
        html = _pages.get_template("signin.html").render(
            error=error, next=safe_next(onward), demo=services.has_demo_account, setup=setup)
        return HTMLResponse(html, status)

    def welcome(cookie: str, onward: str) -> Response:
        answer = RedirectResponse(safe_next(onward), 303)
        answer.set_cookie(COOKIE, cookie, httponly=True, samesite="lax", secure=services.is_https, path="/")
        return answer

    @routes.get("/signin")
    def signin_page(next: str = "/") -> Response:
        if accounts.setup_token and not services.has_demo_account:
            return RedirectResponse("/setup", 303)
        return page(onward=next)

    @routes.post("/signin")
    def signin(user: Annotated[str, Form(max_length=64)], password: Annotated[str, Form(max_length=256)],
               next: Annotated[str, Form()] = "/") -> Response:
        try:
            cookie = accounts.sign_in(user, password)
        except LockedOut as error:
            return page(429, f"输错次数过多，请 {error.retry_secs / 60:.0f} 分钟后再试 · {error.what}; {error.mend}", next)
        except AccessDenied:
            return page(403, "账号或密码不正确 · Account or password is wrong", next)
        services.runner.submit(lambda: services.runner.core.note(user, "sign-in", user, text=f"{user} signed in",
                                                                text_zh=f"{user} 登录"))
        return welcome(cookie, next)

    @routes.post("/demo")
    def demo(next: Annotated[str, Form()] = "/", second: Annotated[bool, Form()] = False) -> Response:
        if not services.has_demo_account:
            raise HTTPException(404, "there is no demo account here")
        user = SECOND_DEMO_USER if second else DEMO_USER
        services.runner.submit(lambda: services.runner.core.note(user, "sign-in", user, text=f"{user} signed in",
                                                                text_zh=f"演示账号 {user} 登录"))
        return welcome(accounts.sign_in_demo(is_second=second), next)

    @routes.get("/setup")
    def setup_page() -> Response:
        return page(setup=True) if accounts.setup_token else RedirectResponse("/signin", 303)

    @routes.post("/setup")
    def setup(token: Annotated[str, Form(max_length=100)], user: Annotated[str, Form(max_length=64)],
              password: Annotated[str, Form(max_length=256)]) -> Response:
        try:
            return welcome(accounts.set_up(token, user, password), "/")
        except AccessDenied as error:
            return page(403, str(error), setup=True)

    @routes.post("/signout")
    def signout(request: Request) -> Response:
        cookie = cookie_of({"cookie": request.headers.get("cookie", "")})
        if cookie:
            accounts.sign_out(cookie)
        answer = RedirectResponse("/signin", 303)
        answer.delete_cookie(COOKIE, path="/")
        return answer

    return routes


def me_router(services: Services) -> APIRouter:
    """`/me`."""
    routes = APIRouter(tags=["park"])

    @routes.get("/me")
    def me(request: Request) -> dict[str, Any]:
        """Who is signed in, and the token every change must carry."""
        person = require("viewer", "reading")
        return {"user": person.user, "role": person.role,
                "name": DEMO_NAMES.get(person.user, person.user) if person.is_demo else person.user,
                "demo": services.spec.demo or person.is_demo, "csrf": request.state.session.csrf, "lang": None,
                "theme": None}

    return routes
