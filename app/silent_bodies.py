"""Bodies of which nothing comes any more are given up: a client that fell silent would hold its request for ever."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class SilentBodies:
    """Whoever reads the body hears of a cut connection, and does what it does then: drop it, or keep what has come."""

    def __init__(self, app: ASGIApp, silence_s: float) -> None:
        self.app, self.silence_s = app, silence_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        awaited = scope["type"] == "http"  # a body, and not the end of the connection

        async def within() -> Message:
            nonlocal awaited
            if not awaited:
                return await receive()
            try:
                async with asyncio.timeout(self.silence_s):
                    message = await receive()
            except TimeoutError:
                message = {"type": "http.disconnect"}
            awaited = bool(message.get("more_body"))
            return message

        await self.app(scope, within, send)
