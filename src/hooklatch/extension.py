"""What Flask and Quart call an extension: one object, ``init_app`` once per application, settings also from its config.

Of ``app.config`` it reads ``HOOKLATCH_STORE``, ``_PROTECT``, ``_FAIL_OPEN``, ``_SPOOL_THRESHOLD``, ``_MAX_SPOOL`` and
``_TRUSTED_PROXIES``; what is said in Python wins. ``config.from_prefixed_env()`` turns ``12`` into a number and leaves
``/a,/b`` one text, so every value is looked at, and one of the wrong kind ends the start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, Generic, Protocol, TypeVar, Unpack, cast
from weakref import WeakKeyDictionary

from hooklatch.errors import ConfigError
from hooklatch.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EXTENSION: Final = "hooklatch"
PREFIX: Final = "HOOKLATCH_"

_KINDS: Final[Mapping[str, tuple[type, str]]] = {
    "store": (str, 'the URL of a store, as in "sqlite:///deliveries.db"'),
    "protect": (list, "a list of paths; in the environment '[\"/hooks/*\"]'"),
    "fail_open": (bool, "true or false"),
    "spool_threshold": (int, "a number of bytes"),
    "max_spool": (int, "a number of bytes"),
    "trusted_proxies": (int, "a number of proxies"),
}


class _Application(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def config(self) -> Mapping[str, object]: ...
    @property
    def extensions(self) -> dict[str, object]: ...


App = TypeVar("App")


class Extension(Generic[App]):
    """Installs ``WebhookMiddleware`` in applications; one object serves as many as a factory makes."""

    kind: ClassVar[type]
    """The class of the applications."""
    slot: ClassVar[str]
    """The attribute of an application that the middleware wraps."""
    door: ClassVar[Callable[..., object]]

    def __init__(self, app: App | None = None, **settings: Unpack[Settings]) -> None:
        """*settings* hold for every application unless its ``init_app`` says otherwise; *app* is latched at once."""
        self.settings = settings
        self._latched: WeakKeyDictionary[App, Mapping[str, object]] = WeakKeyDictionary()
        if app is not None:
            self.init_app(app)

    def init_app(self, app: App, **settings: Unpack[Settings]) -> None:
        """Wrap the application, once; the middleware is then also ``app.extensions["hooklatch"]``.

        To say the same again changes nothing. Raises ``ConfigError`` for settings that cannot be trusted, for an
        application of another kind, and for one that is latched in another way: dropping the second set of routes, or
        stacking two memories, would go unnoticed.
        """
        if not isinstance(app, self.kind):
            wanted, got = self.kind.__name__, type(app).__name__
            msg = f"init_app takes a {wanted} application, not {got}; wrap others in WebhookMiddleware"
            raise ConfigError(msg)
        given = cast("_Application", app)
        merged = {"routes": {}, **configured(given.config), **self.settings, **settings}
        if EXTENSION in given.extensions:
            if self._latched.get(app) == merged:
                return
            msg = f"{given.name} is latched already; give all its routes to one init_app"
            raise ConfigError(msg)
        middleware = type(self).door(getattr(app, self.slot), **merged)
        given.extensions[EXTENSION] = middleware
        setattr(app, self.slot, middleware)
        self._latched[app] = merged


def configured(config: Mapping[str, object]) -> Settings:
    """Return the settings among the ``HOOKLATCH_*`` keys of *config*; raise ``ConfigError`` for any other such key."""
    found: dict[str, object] = {}
    for key, value in config.items():
        if not key.startswith(PREFIX):
            continue
        name = key.removeprefix(PREFIX).lower()
        if name not in _KINDS:
            msg = f"{key} is no setting; there are {', '.join(PREFIX + known.upper() for known in _KINDS)}"
            raise ConfigError(msg)
        kind, wanted = _KINDS[name]
        whole = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
        if not whole or (isinstance(value, list) and not all(isinstance(item, str) for item in value)):
            msg = f"{key}={value!r} must be {wanted}, not {type(value).__name__}"
            raise ConfigError(msg)
        found[name] = value
    return cast("Settings", found)
