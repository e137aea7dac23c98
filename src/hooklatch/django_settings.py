"""Django: the setting ``HOOKLATCH``, and the system checks that look at it (``manage.py check``).

The checks run for who lists ``"hooklatch.django"`` in ``INSTALLED_APPS``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name for it

from hooklatch.config import contradictions, load
from hooklatch.config_values import unknown
from hooklatch.errors import ConfigError
from hooklatch.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NAME: Final = "HOOKLATCH"
MIDDLEWARE: Final = "hooklatch.django.WebhookMiddleware"
CSRF: Final = "django.middleware.csrf.CsrfViewMiddleware"


def configured() -> tuple[object, Settings]:
    """Return the setting as it stands, and the settings of a door that it comes to; raise ``ConfigError``."""
    given: object = getattr(django_settings, NAME, None)
    return given, _understood(given)


def _understood(given: object) -> Settings:
    if isinstance(given, str | os.PathLike):
        return load(given)
    if not isinstance(given, Mapping):
        msg = f"{NAME} must be a dict, as in {NAME} = {{'routes': ...}}, or the path of a TOML file"
        raise ConfigError(msg)
    for name in given:
        if name not in Settings.__annotations__:
            msg = f"{NAME}: {unknown(name, Settings.__annotations__)}"
            raise ConfigError(msg)
    return cast("Settings", {"routes": {}, **given})


@register(Tags.security)
def check_settings(**_: object) -> Sequence[CheckMessage]:
    """Return what is wrong with ``HOOKLATCH`` and the place of its middleware."""
    try:
        found = configured()[1]
    except ConfigError as bad:
        return [Error(line, id="hooklatch.E001") for line in str(bad).splitlines()]
    wrong = [Error(f"{NAME}[{key!r}]: {bad}", id="hooklatch.E001") for key, bad in contradictions(found)]
    return [*wrong, *_order(), *_risks(found)]


@register(Tags.security, deploy=True)
def check_deployment(**_: object) -> Sequence[CheckMessage]:
    """Return what is wrong with ``HOOKLATCH`` where more than one process serves."""
    try:
        found = configured()[1]
    except ConfigError:
        return []  # told by the other check
    if found.get("store", "memory://") != "memory://":
        return []
    return [
        Warning(
            f"{NAME}: the store is memory://, so each process remembers for itself and nothing survives a restart.",
            hint="Set store to sqlite:///..., redis://... or postgresql://...",
            id="hooklatch.W006",
        )
    ]


def _order() -> Iterator[CheckMessage]:
    listed = list(django_settings.MIDDLEWARE)
    if MIDDLEWARE not in listed:
        yield Warning(
            f"{NAME} is set, but {MIDDLEWARE} is not in MIDDLEWARE: no request is verified.", id="hooklatch.W003"
        )
    elif CSRF in listed and listed.index(CSRF) < listed.index(MIDDLEWARE):
        yield Error(
            f"{MIDDLEWARE} stands below {CSRF}.",
            hint="Move it up: what stands above it may read the body, or answer, before anything is verified.",
            id="hooklatch.E002",
        )


def _risks(found: Settings) -> Iterator[CheckMessage]:
    if found.get("debug"):
        yield Warning(
            f"{NAME}: debug is on, and a refusal tells its sender the reason.",
            hint="Remove it in production: it teaches whoever tries.",
            id="hooklatch.W004",
        )
    if found.get("fail_open") == "unsafe":
        yield Warning(
            f"{NAME}: fail_open='unsafe' lets a captured delivery be replayed while the store is down.",
            id="hooklatch.W005",
        )
    limit = django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    for pattern, chain in found["routes"].items():
        if limit is not None and getattr(chain, "max_body", 0) > limit:
            yield Warning(
                f"{NAME}: {pattern} accepts {chain.max_body} bytes, but request.body answers 400 to more than {limit}.",
                hint="Lower max_body, raise DATA_UPLOAD_MAX_MEMORY_SIZE, or read webhook.open() instead.",
                id="hooklatch.W007",
            )
