"""aiohttp: run it with `python -m aiohttp.web examples.aiohttp_app:main`."""

import os

from aiohttp import web

from hooklatch.aiohttp import WEBHOOK, setup, verified
from hooklatch.providers import GITHUB


@verified(GITHUB)
async def push(request: web.Request) -> web.Response:
    event = await request.json()
    return web.json_response({"from": request[WEBHOOK].provider, "ref": event["ref"]})


def main(argv: list[str] | None = None) -> web.Application:  # noqa: ARG001 - as aiohttp.web calls it
    app = web.Application()
    app.add_routes([web.post("/hooks/github", push)])
    setup(
        app,
        routes={"/hooks/github": GITHUB.chain(os.environ["GITHUB_SECRET"])},
        protect=["/hooks/*"],
    )
    return app
