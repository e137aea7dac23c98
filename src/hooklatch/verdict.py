"""Where the application finds the verdict, and the second lock: it counts only for the request it was given for."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Final

from hooklatch.errors import NotProven
from hooklatch.types import Webhook

if TYPE_CHECKING:
    from hooklatch.chain import Chain
    from hooklatch.provider import Provider

ENVIRON_KEY: Final = "hooklatch.webhook"
STATE_KEY: Final = "webhook"


def get_webhook(source: object, expected: Provider | Chain | str | None = None, *, allow_test: bool = False) -> Webhook:
    """Return the verdict attached to *source*: a WSGI environ, an ASGI scope, or a framework's request.

    *expected*: the provider (or its name, or the chain) this handler is written for; *allow_test*: whether marked
    test traffic may come in. Raises ``NotProven`` if no verdict is attached, or one for another provider, method or
    path: answer that with 401.
    """
    found, method, path = _attached(source)
    if not isinstance(found, Webhook):
        msg = "no verdict is attached to this request: did it come through WebhookMiddleware, on a route of its own?"
        raise NotProven(msg)
    if (found.method, found.path) != (method, path):
        msg = f"the verdict was given for {found.method} {found.path!r}, not for this request"
        raise NotProven(msg)
    name = expected if isinstance(expected, str | None) else getattr(expected, "provider", None) or expected.name
    if name is not None and found.provider != name:
        msg = f"this handler expects {name}, but {found.provider} sent the request"
        raise NotProven(msg)
    if found.test and not allow_test:
        msg = "this is test traffic (on_test='mark'); a handler that wants it says allow_test=True"
        raise NotProven(msg)
    return found


def _attached(source: object) -> tuple[object, str, str]:
    """Return what is attached, and the method and full path of the request as they are now."""
    view = _view(source)
    if view is None:
        msg = f"a webhook is found in an environ, a scope or a request, not in {type(source).__name__}"
        raise NotProven(msg)
    if "REQUEST_METHOD" in view:
        # Django's META is the environ, in which it has replaced both halves of the path by text.
        text = getattr(source, "META", None) is view
        path = f"{view.get('SCRIPT_NAME', '')}{view.get('PATH_INFO', '')}" if text else wsgi_path(view)
        return _in_environ(view) or _in_scope(view.get("asgi.scope")), str(view["REQUEST_METHOD"]), path
    if "type" in view:
        found = _in_scope(view) or _in_environ(view.get("wsgi_environ"))
        return found, str(view.get("method", "")), str(view.get("path", ""))
    # A request that is itself a mapping, with keys of its own, as aiohttp's is.
    found = next((value for value in view.values() if isinstance(value, Webhook)), None)
    return found, str(getattr(source, "method", "")), str(getattr(source, "path", ""))


def _view(source: object) -> Mapping[Any, Any] | None:
    """Return the environ or scope of a framework's request, whatever it calls it; the *source* itself if it is one."""
    for name in ("scope", "environ", "env", "META"):
        try:
            found = getattr(source, name, None)
        except NotImplementedError:  # Sanic's request has a scope, but not on Sanic's own server
            continue
        if isinstance(found, Mapping):
            return found
    return source if isinstance(source, Mapping) else None


def _in_environ(environ: object) -> object:
    """Return what is attached to a WSGI *environ*: that of the request, or one around it (a2wsgi)."""
    return environ.get(ENVIRON_KEY) if isinstance(environ, Mapping) else None


def _in_scope(scope: object) -> object:
    """Return what is attached to an ASGI *scope*: that of the request, or one around it (a2wsgi)."""
    state = scope.get("state") if isinstance(scope, Mapping) else None
    return state.get(STATE_KEY) if isinstance(state, Mapping) else getattr(state, STATE_KEY, None)


def wsgi_path(environ: Mapping[str, Any]) -> str:
    """Return the full path of a WSGI request, mount prefix included, as UTF-8 text where it is UTF-8."""
    return wsgi_text(environ.get("SCRIPT_NAME", "")) + wsgi_text(environ.get("PATH_INFO", ""))


def wsgi_text(view: str) -> str:
    """Return what a latin-1 *view* of bytes (PEP 3333) says in UTF-8."""
    return view if view.isascii() else view.encode("latin-1", "replace").decode("utf-8", "replace")


def strip(attached: MutableMapping[str, Any], key: str) -> Webhook | None:
    """Return the verdict under *key*; whatever else stands there is removed, for only we may put something there."""
    found = attached.get(key)
    if found is None:
        return None
    if isinstance(found, Webhook):
        return found
    del attached[key]
    return None


def judged(verdict: Webhook, route: str, provider: str, method: str, path: str) -> bool:
    """Return whether an outer latch has judged this very request, on this very route, for this very sender."""
    return (verdict.route, verdict.provider, verdict.method, verdict.path) == (
        route,
        provider,
        method,
        path,
    )
