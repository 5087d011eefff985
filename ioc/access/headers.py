"""The security headers every answer carries, the Content-Security-Policy among them."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSP = "; ".join((
    "default-src 'self'", "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' blob:", "worker-src 'self' blob:",
    "style-src 'self' 'unsafe-inline'", "img-src 'self' data: blob:", "font-src 'self' data:",
    "connect-src 'self' data: blob:", "object-src 'none'", "base-uri 'none'", "form-action 'self'",
    "frame-ancestors 'none'",
))

HEADERS = {
    "content-security-policy": CSP, "x-content-type-options": "nosniff", "x-frame-options": "DENY",
    "referrer-policy": "same-origin", "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


class SecurityHeaders:
    """Adds the headers to every HTTP answer that has not set them itself; no answer is cached unless it says so.

    Args:
        app: the whole application, guard included.
        is_https: adds Strict-Transport-Security.
    """

    def __init__(self, app: ASGIApp, is_https: bool) -> None:
        self._app = app
        extra = {"strict-transport-security": "max-age=31536000"} if is_https else {}
        self._headers = [(name.encode(), value.encode()) for name, value in {**HEADERS, **extra}.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message.get("headers", ())}
                fresh = [(b"cache-control", b"no-store")] if b"cache-control" not in given else []
                missing = [pair for pair in self._headers if pair[0] not in given]
                message = {**message, "headers": [*message.get("headers", ()), *fresh, *missing]}
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)
