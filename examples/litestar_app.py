"""Litestar: run it with `uvicorn examples.litestar_app:app`."""

import os
from dataclasses import dataclass

from litestar import Litestar, post
from litestar.params import JSONBody

from hooklatch.litestar import Proven, WebhookMiddleware, verified
from hooklatch.providers import GITHUB


@dataclass
class Push:
    ref: str


@post("/hooks/github", status_code=200, dependencies={"webhook": verified(GITHUB)})
async def push(webhook: Proven, data: JSONBody[Push]) -> dict[str, str]:
    return {"from": webhook.provider, "ref": data.ref}


app = WebhookMiddleware(
    Litestar([push]),
    routes={"/hooks/github": GITHUB.chain(os.environ["GITHUB_SECRET"])},
    protect=["/hooks/*"],
)
