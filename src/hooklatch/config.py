"""A door's settings from a file, with secrets by reference only.

    app = WebhookMiddleware(app, **load("hooklatch.toml"))

``docs/configuration.md`` shows such a file. A mistake stops the start and is told with file, line and cure, all of them
at once. Secrets are named (``env:NAME``, ``file:/run/secrets/x``, ``call:package.module:function``) and never written
down; those in files are read again when the file changes.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from hooklatch import config_values as values
from hooklatch.body import Spool
from hooklatch.chain import Chain
from hooklatch.door import demand_time
from hooklatch.errors import ConfigError
from hooklatch.provider import Provider
from hooklatch.providers import names, provider
from hooklatch.ratelimit import Limiter
from hooklatch.references import References
from hooklatch.routes import Routes
from hooklatch.settings import Settings
from hooklatch.stores import SCHEMES
from hooklatch.toml_lines import Key, key_lines

__all__ = ["Examined", "contradictions", "examine", "load"]

OF_A_ROUTE: Final = ("provider", "facts", "over", "secrets", "public_keys")
"""What a route says beside its options."""

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


class Examined(NamedTuple):
    """What a file comes to."""

    settings: Settings
    options: dict[str, dict[str, Any]]
    """What each route says itself, by its pattern."""
    problems: list[str]
    """One line each; empty where the settings can be used."""


def load(source: str | os.PathLike[str] | Mapping[str, Any]) -> Settings:
    """Return the keyword arguments of every door (``hooklatch.door.Settings``).

    *source*: the path of a TOML file, or a mapping of the same shape. Raises ``ConfigError`` with one line for each
    mistake; that names file and line, and never shows a value that may be a secret.
    """
    found = examine(source)
    if found.problems:
        raise ConfigError("\n".join(found.problems))
    return found.settings


def examine(source: str | os.PathLike[str] | Mapping[str, Any], *, secrets: bool = True) -> Examined:
    """Return what *source* comes to, and its problems; *secrets*: whether those it names must be there."""
    if isinstance(source, Mapping):
        return _Reader("", source, {}, Path(), secrets=secrets).read()
    import tomllib  # noqa: PLC0415 - only a file needs it

    path = Path(source)
    try:
        text = path.read_bytes().decode("utf-8")
        data = tomllib.loads(text)
    except OSError as bad:
        problem = f"{path}: cannot be read: {bad.strerror}"
    except UnicodeDecodeError as bad:
        problem = f"{path}: is not UTF-8 ({bad.reason})"
    except tomllib.TOMLDecodeError as bad:
        # The parser shows single characters only, and ends with "(at line 3, column 5)".
        said, _, place = str(bad).rpartition(" (at line ")
        line = place.partition(",")[0]
        problem = f"{path}:{line}: not TOML: {said}" if line.isdecimal() else f"{path}: not TOML: {bad}"
    else:
        return _Reader(str(path), data, key_lines(text), path.parent, secrets=secrets).read()
    return Examined({}, {}, [problem])


def contradictions(settings: Settings) -> Iterator[tuple[str, ConfigError]]:
    """Yield what a door would not accept of *settings*, each with its key, without making one: nothing is opened."""
    looks: dict[str, Callable[[], object]] = {
        "routes": lambda: Routes(settings.get("routes", {})),
        "protect": lambda: Routes(settings.get("routes", {}), settings.get("protect", ())),
        "fail_open": lambda: demand_time(settings["routes"], settings.get("fail_open", False)),
        "spool_threshold": lambda: Spool(threshold=settings.get("spool_threshold", 0)),
        "max_spool": lambda: Spool(quota=settings.get("max_spool", 0)),
        "trusted_proxies": lambda: Limiter(settings.get("limit_failures"), settings.get("trusted_proxies")),
    }
    for key, look in looks.items():
        try:
            look()
        except ConfigError as bad:
            yield key, bad
            if key == "routes":
                return


class _Reader:
    """Reads one source; what is wrong is noted, and the rest is read all the same."""

    def __init__(
        self, file: str, data: Mapping[str, Any], lines: Mapping[Key, int], folder: Path, *, secrets: bool
    ) -> None:
        self._file = file
        self._data = data
        self._lines = lines
        self._references = References(folder, needed=secrets)
        self._problems: list[str] = []
        self._own: dict[str, Provider] = {}

    def read(self) -> Examined:
        found: dict[str, Any] = {}
        hints = values.settings()
        for name, given in self._data.items():
            with self._at(name):
                if name in {"routes", "providers"}:
                    continue
                if name not in hints:
                    raise ConfigError(values.unknown(name, [*hints, "routes", "providers"]))
                found[name] = self._setting(name, given, hints[name])
        self._read_providers()
        options = self._read_routes(found)
        if not self._problems:
            for key, contradiction in contradictions(cast("Settings", found)):
                with self._at(key):
                    raise contradiction
        return Examined(cast("Settings", found), options, self._problems)

    def _read_providers(self) -> None:
        with self._at("providers"):
            for name, given in _demand_table(self._data.get("providers", {})).items():
                with self._at("providers", name):
                    if name in names():
                        msg = "the catalogue has this sender; change its facts on the route, with facts = { ... }"
                        raise ConfigError(msg)
                    facts = self._values(("providers", name), given, values.facts())
                    if "signature" not in facts:
                        msg = 'says not where the signature stands: signature = { header = "x-signature" }'
                        raise ConfigError(msg)
                    self._own[name] = Provider(name=name, **facts)

    def _read_routes(self, found: dict[str, Any]) -> dict[str, dict[str, Any]]:
        routes: dict[str, Chain] = {}
        options: dict[str, dict[str, Any]] = {}
        with self._at("routes"):
            tables = _demand_table(self._data.get("routes", {}))
            if not tables:
                msg = 'there are none: add [routes."/hooks/github"] with provider and secrets'
                raise ConfigError(msg)
            for pattern, given in tables.items():
                with self._at("routes", pattern):
                    options[pattern] = {}
                    routes[pattern] = self._route(("routes", pattern), _demand_table(given), options[pattern])
        found["routes"] = routes
        return options

    def _route(self, at: Key, given: Mapping[str, Any], options: dict[str, Any]) -> Chain:
        before = len(self._problems)
        rules = {name: item for name, item in given.items() if name not in OF_A_ROUTE}
        with self._at(*at):
            options.update(self._values(at, rules, values.options(), also=OF_A_ROUTE))
        record = self._record(at, given)
        secrets = public_keys = None
        with self._at(*at, "secrets"):
            secrets = self._references.secrets(given["secrets"]) if "secrets" in given else None
        with self._at(*at, "public_keys"):
            public_keys = self._references.public_keys(given["public_keys"]) if "public_keys" in given else None
        if record is None or len(self._problems) > before:
            raise _Noted
        if secrets is None and public_keys is None:
            msg = 'has no secret: add secrets = ["env:NAME"]'
            raise ConfigError(msg)
        return record.chain(secrets, public_keys=public_keys, **options)

    def _record(self, at: Key, given: Mapping[str, Any]) -> Provider | None:
        """Return the sender that a route names, with its facts changed; None where that is noted as a problem."""
        record = None
        with self._at(*at, "provider"):
            name = given.get("provider")
            if not isinstance(name, str):
                msg = 'names no sender: provider = "github"'
                raise ConfigError(msg)
            known = [*self._own, *_demand_table(self._data.get("providers", {})), *names()]
            if name not in known:
                raise ConfigError(values.unknown(name, known))
            record = self._own.get(name) or (provider(name) if name in names() else None)
        with self._at(*at, "facts"):
            if record is not None and "facts" in given:
                record = record.using(**self._values((*at, "facts"), given["facts"], values.facts()))
        with self._at(*at, "over"):
            if record is not None and "over" in given:
                over = self._values((*at, "over"), given["over"], values.OVER)
                if "signature" not in over:
                    msg = "says not in which field the signature stands: signature = ..."
                    raise ConfigError(msg)
                record = record.over(*over.pop("fields", ()), **over)
        return record

    def _values(self, at: Key, given: object, hints: Mapping[str, Any], also: tuple[str, ...] = ()) -> dict[str, Any]:
        found: dict[str, Any] = {}
        before = len(self._problems)
        for name, item in _demand_table(given).items():
            with self._at(*at, name):
                if name not in hints:
                    raise ConfigError(values.unknown(name, [*hints, *also]))
                found[name] = values.value(item, hints[name])
        if len(self._problems) > before:
            raise _Noted
        return found

    def _setting(self, name: str, given: object, hint: Any) -> Any:  # noqa: ANN401 - what *hint* says
        if name == "limit_failures" and isinstance(given, Mapping) and isinstance(given.get("storage"), str):
            given = {**given, "storage": self._references.url(given["storage"])}
        found = values.value(given, hint)
        if name == "store":
            found = self._references.url(found)
            if found.partition("://")[0] not in SCHEMES:
                msg = f"this is no store's URL; it begins with {', '.join(f'{one}://' for one in SCHEMES)}"
                raise ConfigError(msg)
        return found

    @contextlib.contextmanager
    def _at(self, *key: str) -> Iterator[None]:
        """Note a ``ConfigError`` that is raised inside as a problem of *key*."""
        try:
            yield
        except _Noted:
            pass
        except ConfigError as bad:
            place = ".".join(name if _BARE.fullmatch(name) else json.dumps(name) for name in key)
            near = next((key[:end] for end in range(len(key), 0, -1) if key[:end] in self._lines), None)
            line = f"{self._file}:{self._lines[near] if near else 1}: " if self._file else ""
            self._problems.append(f"{line}{place}: {bad}".replace("\n", " "))


class _Noted(ConfigError):
    """What is wrong has been noted."""


def _demand_table(given: object) -> Mapping[str, Any]:
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        msg = "must be a table"
        raise ConfigError(msg)
    return given
