"""Quart: run it with `hypercorn examples.quart_app:app`."""

import os

from quart import Quart, request
from quart.typing import ResponseReturnValue

from hooklatch.providers import GITHUB
from hooklatch.quart import Hooklatch, verified, webhook

app = Quart(__name__)
latch = Hooklatch()
latch.init_app(
    app,
    routes={"/hooks/github": GITHUB.chain(os.environ["GITHUB_SECRET"])},
    protect=["/hooks/*"],
)


@app.post("/hooks/github")
@verified(GITHUB)
async def push() -> ResponseReturnValue:
    event = await request.get_json()
    return {"from": webhook.provider, "ref": event["ref"]}
