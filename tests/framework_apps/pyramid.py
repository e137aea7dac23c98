"""Pyramid, with the door as a tween, and around the application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyramid.config import Configurator
from pyramid.response import Response

from framework_record import Record, seen, wsgi_post
from hooklatch.providers import GITHUB, STRIPE
from hooklatch.wsgi import WebhookMiddleware

if TYPE_CHECKING:
    from framework_record import Post


def configured(record: Record) -> Configurator:
    def raw(request: Any) -> Any:
        record.run(request)
        return Response(request.body)

    def json(request: Any) -> Any:
        record.run(request)
        return Response(json_body=request.json_body)

    def form(request: Any) -> Any:
        record.run(request)
        return Response(json_body={name: request.POST.getall(name) for name in request.POST})

    def multipart(request: Any) -> Any:
        record.run(request)
        file = request.POST["file"]
        return Response(json_body=[request.POST["title"], file.filename, file.file.read().hex()])

    def work(request: Any) -> Any:
        record.run(request)
        return Response(status=record.status())

    def stream(request: Any) -> Any:
        record.run(request)
        return Response(app_iter=record.pieces())

    def locked(request: Any) -> Any:
        record.run(request)
        return Response(json_body=seen(request.webhook))

    def elsewhere(request: Any) -> Any:
        return Response(request.body)

    config = Configurator()
    config.include("hooklatch.pyramid")
    views: dict[str, tuple[Any, dict[str, Any]]] = {
        "/hooks/raw": (raw, {}),
        "/hooks/json": (json, {}),
        "/hooks/form": (form, {}),
        "/hooks/multipart": (multipart, {}),
        "/hooks/work": (work, {}),
        "/hooks/stream": (stream, {}),
        "/hooks/github": (locked, {"verified": GITHUB}),
        "/hooks/stripe": (locked, {"verified": STRIPE}),
        "/hooks/open": (locked, {"verified": GITHUB, "allow_test": True}),
        "/elsewhere/github": (locked, {"verified": GITHUB}),
        "/elsewhere/raw": (elsewhere, {}),
    }
    for path, (view, options) in views.items():
        config.add_route(path, path)
        config.add_view(view, route_name=path, request_method="POST", **options)
    return config


def build(record: Record, **settings: Any) -> Post:
    config = configured(record)
    config.latch(**settings)
    return wsgi_post(config.make_wsgi_app())


def build_outside(record: Record, **settings: Any) -> Post:
    return wsgi_post(WebhookMiddleware(configured(record).make_wsgi_app(), **settings))


BUILDS = {"pyramid": build, "pyramid-wrapped": build_outside}
