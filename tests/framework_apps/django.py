"""Django, by its WSGI and its ASGI handler. Its CSRF check, which stops unproven posts first, is tested apart."""

from __future__ import annotations

import json as json_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import path

from django_project import COMMON, OURS
from framework_record import Record, asgi_post, seen, wsgi_post
from hooklatch import Delivery, get_webhook
from hooklatch.django import verified
from hooklatch.providers import GITHUB, STRIPE

if TYPE_CHECKING:
    from collections.abc import Callable

    from framework_record import Post
    from hooklatch.testing import Answered


def urls(record: Record) -> ModuleType:
    def raw(request: Any) -> HttpResponse:
        record.run(request)
        return HttpResponse(request.body)

    def json(request: Any) -> HttpResponse:
        record.run(request)
        return HttpResponse(json_module.dumps(json_module.loads(request.body)))

    def form(request: Any) -> HttpResponse:
        record.run(request)
        return JsonResponse({name: request.POST.getlist(name) for name in request.POST})

    def multipart(request: Any) -> HttpResponse:
        record.run(request)
        file = request.FILES["file"]
        return JsonResponse([request.POST["title"], file.name, file.read().hex()], safe=False)

    def work(request: Any) -> HttpResponse:
        record.run(request)
        return HttpResponse(status=record.status())

    def stream(request: Any) -> StreamingHttpResponse:
        record.run(request)
        return StreamingHttpResponse(record.pieces())

    def locked(request: Any) -> HttpResponse:
        record.run(request)
        return JsonResponse(seen(get_webhook(request, allow_test=True)), safe=False)

    def elsewhere(request: Any) -> HttpResponse:
        return HttpResponse(request.body)

    found: Any = ModuleType("matrix_urls")
    found.urlpatterns = [
        path("hooks/raw", raw),
        path("hooks/json", json),
        path("hooks/form", form),
        path("hooks/multipart", multipart),
        path("hooks/work", work),
        path("hooks/stream", stream),
        path("hooks/github", verified(GITHUB)(locked)),
        path("hooks/stripe", verified(STRIPE)(locked)),
        path("hooks/open", verified(GITHUB, allow_test=True)(locked)),
        path("elsewhere/github", verified(GITHUB)(locked)),
        path("elsewhere/raw", elsewhere),
    ]
    urlconf: ModuleType = found
    return urlconf


def built(handler: Callable[[], Any], posting: Callable[[Any], Post]) -> Callable[..., Post]:
    def build(record: Record, **settings: Any) -> Post:
        project = override_settings(
            ROOT_URLCONF=urls(record),
            MIDDLEWARE=[OURS, COMMON],
            HOOKLATCH=settings,
            DEBUG_PROPAGATE_EXCEPTIONS=False,
        )
        with project:
            post = posting(handler())

        def within(delivery: Delivery) -> Answered:
            with project:
                return post(delivery)

        return within

    return build


BUILDS = {"django": built(WSGIHandler, wsgi_post), "django-asgi": built(ASGIHandler, asgi_post)}
