"""FastAPI: install the middleware, take the verdict and the event as parameters.

    app.add_middleware(WebhookMiddleware, routes={"/hooks/github": GITHUB.chain(secret)}, protect=["/hooks/*"])

    @app.post("/hooks/github", status_code=204)
    async def push(webhook: Annotated[Webhook, verified(GITHUB)], event: Payload[Push]) -> None: ...

``WebhookMiddleware`` is that of ``hooklatch.asgi``. Add it last, so that it is outermost: then a stranger's malformed
body is a 401 and never a 422, and no other layer takes the body away. FastAPI's own parameters work as ever: a pydantic
body, ``Form()``, ``UploadFile``, in ``async def`` and in ``def``.

``verified(...)`` is the second lock: 401 unless the named sender sent this very request. It also tells OpenAPI how the
sender signs; ``responses=REFUSALS`` tells it what the door may answer. ``Payload[Push]`` is the model read from the
*proven* bytes, whatever the Content-Type says (some senders post JSON as ``text/plain``); where a signature covers only
fields, it reads those and nothing else.
"""

# No postponed annotations: older FastAPIs cannot resolve those of an object that is called.
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import Depends, Security, params
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.models import APIKey, HTTPBase
from fastapi.requests import Request
from fastapi.security.base import SecurityBase
from pydantic import TypeAdapter, ValidationError

from hooklatch.asgi import WebhookMiddleware
from hooklatch.chain import Chain
from hooklatch.fields import Header, Query
from hooklatch.lock import sender
from hooklatch.provider import Provider
from hooklatch.starlette import webhook_of
from hooklatch.types import Webhook

__all__ = ["REFUSALS", "Payload", "WebhookMiddleware", "payload", "verified"]

Model = TypeVar("Model")

_PROBLEM = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "status": {"type": "integer"}, "reason": {"type": "string"}},
    "required": ["title", "status"],
}
_MEANINGS = {
    401: "Not proven: nobody shows who sent this, or when.",
    403: "Proven, and refused by policy.",
    409: "The same delivery is being processed, or came before with other unsigned parts.",
    413: "The body is larger than the route accepts.",
    503: "Not now; try again.",
}
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"description": meaning, "content": {"application/problem+json": {"schema": _PROBLEM}}}
    for status, meaning in _MEANINGS.items()
}
"""What the door answers in the application's stead, for OpenAPI: ``@app.post(..., responses=REFUSALS)``."""


def verified(expected: Provider | Chain | str, *, allow_test: bool = False) -> params.Security:
    """Return the dependency that hands over the verdict, and answers 401 unless *expected* sent this very request.

    *expected*: the provider, its name, or the route's chain; only a ``Provider`` can tell OpenAPI where the signature
    stands. *allow_test*: whether test traffic that the route marks (``on_test="mark"``) may come in. Raises
    ``ConfigError`` for anything else.
    """
    sender(expected, "verified(GITHUB)")
    dependency: params.Security = Security(_Signed(expected, allow_test=allow_test))
    return dependency


class _Signed(SecurityBase):
    """The second lock as FastAPI wants it: called with the request, described in OpenAPI."""

    def __init__(self, expected: Provider | Chain | str, *, allow_test: bool) -> None:
        self.expected = expected
        self.allow_test = allow_test
        name = expected if isinstance(expected, str) else getattr(expected, "provider", "") or expected.name
        self.scheme_name = f"{name} webhook"
        self.model = _described(expected, name)

    async def __call__(self, request: Request) -> Webhook:
        return webhook_of(request, self.expected, allow_test=self.allow_test)


def _described(expected: Provider | Chain | str, name: str) -> APIKey | HTTPBase:
    """Return how *expected* signs, in OpenAPI's words."""
    if not isinstance(expected, Provider):
        return HTTPBase(scheme="webhook-signature", description=f"Signed by {name}.")
    text = f"`{expected.algorithm}` of `{expected.signed}`, made by {name}. {expected.docs}".rstrip()
    for place in expected.places:
        if isinstance(place, Header | Query):
            where, label = ("header", place.names[0]) if isinstance(place, Header) else ("query", place.name)
            return APIKey.model_validate({"in": where, "name": label, "description": text})
    # OpenAPI has no word for a credential in the body; the scheme is that of our WWW-Authenticate.
    places = " or ".join(repr(place) for place in expected.places)
    return HTTPBase(scheme="webhook-signature", description=f"In the body, at {places}: {text}")


def payload(
    model: type[Model], expected: Provider | Chain | str | None = None, *, allow_test: bool = False
) -> params.Depends:
    """Return the dependency that fills a ``Payload``.

    Written out it can say more: ``Annotated[Push, payload(Push, GITHUB, allow_test=True)]``, where *expected* and
    *allow_test* are those of ``verified``. A body that does not fit is FastAPI's usual 422. For a sender who proves
    neither body nor fields there is no payload to be had: the handler fails with ``NotProven``.
    """
    adapter: TypeAdapter[Model] = TypeAdapter(model)

    # Plain ``def``, so that FastAPI reads a spooled body and validates a large one in a thread.
    def parse(request: Request) -> Model:
        webhook = webhook_of(request, expected, allow_test=allow_test)
        try:
            if webhook.coverage == "fields":
                return adapter.validate_strings(dict(webhook.fields))
            return adapter.validate_json(webhook.body)
        except ValidationError as bad:
            raise RequestValidationError([_located(error) for error in bad.errors(include_url=False)]) from bad

    dependency: params.Depends = Depends(parse)
    return dependency


def _located(error: Any) -> dict[str, Any]:  # noqa: ANN401 - pydantic's own record of an error
    """Return *error* as FastAPI words it: its place begins with ``body``; bytes that are no JSON are not repeated."""
    shown = {} if isinstance(error["input"], bytes) else error["input"]
    return {**error, "loc": ("body", *error["loc"]), "input": shown}


if TYPE_CHECKING:
    Payload = Annotated[Model, "proven"]
    """For a type checker, ``Payload[Push]`` is ``Push``."""
else:

    class Payload:
        """``Payload[Push]``: a ``Push`` read from what the signature covers. Marked test traffic is refused."""

        def __class_getitem__(cls, model: type[Model]) -> object:
            """Return the parameter's type with the dependency that fills it."""
            return Annotated[model, payload(model)]
