"""FastAPI: run it with `uvicorn examples.fastapi_app:app`."""

import os
from typing import Annotated

from fastapi import FastAPI
from pydantic import BaseModel

from hooklatch import Webhook
from hooklatch.fastapi import REFUSALS, Payload, WebhookMiddleware, verified
from hooklatch.providers import GITHUB


class Push(BaseModel):
    ref: str


app = FastAPI()
app.add_middleware(
    WebhookMiddleware,
    routes={"/hooks/github": GITHUB.chain(os.environ["GITHUB_SECRET"])},
    protect=["/hooks/*"],
)


@app.post("/hooks/github", responses=REFUSALS)
async def push(webhook: Annotated[Webhook, verified(GITHUB)], event: Payload[Push]) -> dict[str, str]:
    return {"from": webhook.provider, "ref": event.ref}
