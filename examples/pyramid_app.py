"""Pyramid: run it with `python -m waitress --call examples.pyramid_app:main`."""

import os

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.router import Router
from pyramid.view import view_config

from hooklatch.providers import GITHUB


@view_config(route_name="push", request_method="POST", renderer="json", verified=GITHUB)
def push(request: Request) -> dict[str, str]:
    return {"from": request.webhook.provider, "ref": request.json_body["ref"]}


def main() -> Router:
    config = Configurator()
    config.include("hooklatch.pyramid")
    config.latch(
        routes={"/hooks/github": GITHUB.chain(os.environ["GITHUB_SECRET"])},
        protect=["/hooks/*"],
    )
    config.add_route("push", "/hooks/github")
    config.scan(__name__)
    return config.make_wsgi_app()
