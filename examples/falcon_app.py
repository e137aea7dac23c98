"""Falcon: run it with `gunicorn examples.falcon_app:app`, or `uvicorn examples.falcon_app:asgi_app`."""

import os

import falcon
import falcon.asgi

from hooklatch.falcon import latched, verified
from hooklatch.providers import GITHUB

ROUTES = {"/hooks/github": GITHUB.chain(os.environ["GITHUB_SECRET"])}


class Push:
    @verified(GITHUB)
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = {"from": req.context.webhook.provider, "ref": req.media["ref"]}


class AsyncPush:
    @verified(GITHUB)
    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        event = await req.get_media()
        resp.media = {"from": req.context.webhook.provider, "ref": event["ref"]}


plain = falcon.App()
plain.add_route("/hooks/github", Push())
app = latched(plain, routes=ROUTES, protect=["/hooks/*"])

plain_asgi = falcon.asgi.App()
plain_asgi.add_route("/hooks/github", AsyncPush())
asgi_app = latched(plain_asgi, routes=ROUTES, protect=["/hooks/*"])
