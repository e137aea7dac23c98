"""References in a configuration file, and what they come to: ``env:NAME``, ``file:PATH``, ``call:package.module:name``.

A secret is never written into the file itself. Whatever is wrong with a reference, nothing of it is shown that could be
the secret in the wrong place.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from hooklatch import config_values as values
from hooklatch.errors import ConfigError
from hooklatch.secret_files import LiveSecrets, SecretFile, secret_text, without_line_end
from hooklatch.secrets import Secret

OF_A_SECRET: Final[Mapping[str, Any]] = {
    "ref": str,
    "not_before": datetime,
    "not_after": datetime,
    "test": bool,
    "name": str,
}
"""What a table says of a secret."""

_REFERENCE: Final = re.compile(r"(env|file|call):(.+)")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class References:
    """Looks up what a file refers to."""

    def __init__(self, folder: Path, *, needed: bool = True) -> None:
        """*folder*: where relative paths begin; *needed*: whether what is referred to must be there."""
        self._folder = folder
        self._needed = needed

    def secrets(self, given: object) -> Any:  # noqa: ANN401 - whatever chain() takes
        """Return the secrets of a route: one reference or a list of them, newest first."""
        listed = given if isinstance(given, list | tuple) else [given]
        if not listed:
            msg = 'the list is empty; write secrets = ["env:NAME"]'
            raise ConfigError(msg)
        parts = [self._secret(item) for item in listed]
        for part in parts:
            if callable(part):
                if len(parts) > 1:
                    msg = "a call: finds all secrets of the route and stands alone"
                    raise ConfigError(msg)
                return part
        return LiveSecrets(parts) if any(isinstance(part, SecretFile) for part in parts) else parts

    def _secret(self, given: object) -> Any:  # noqa: ANN401 - Secret, SecretFile, or a function
        if not isinstance(given, Mapping):
            given = {"ref": given}
        kind, rest = _reference(given.get("ref"))
        about = {name: _about(name, item) for name, item in given.items() if name != "ref"}
        if kind == "call" and about:
            msg = "what a call: finds says itself from when until when it counts; leave that out here"
            raise ConfigError(msg)
        if not self._needed:
            # Made of the reference, so that one secret under two senders is noticed all the same.
            return _nobody if kind == "call" else Secret(hashlib.sha256(rest.encode()).digest(), **about)
        if kind == "call":
            found = values.named_object(rest)
            if not callable(found):
                msg = f"call:{rest} cannot be called; name a function of the request's Head"
                raise ConfigError(msg)
            return found
        if kind == "file":
            return SecretFile(str(self._folder / rest), lambda text: Secret(text, **about))
        return Secret(_variable(rest), **about)

    def _text(self, reference: str) -> str:
        """Return the text that *reference* names; raise ``ConfigError``."""
        kind, rest = _reference(reference)
        if kind == "call":
            msg = "write env:NAME or file:PATH here"
            raise ConfigError(msg)
        if kind == "env":
            return _variable(rest)
        try:
            return secret_text(without_line_end((self._folder / rest).read_bytes()))
        except OSError as bad:
            msg = f"file:{rest} cannot be read ({bad.strerror})"
            raise ConfigError(msg) from bad

    def public_keys(self, given: object) -> list[str]:
        """Return public keys: written down, as they are no secret, or referred to."""
        listed = values.value(given, str) if isinstance(given, str) else values.value(given, tuple[str, ...])
        listed = [listed] if isinstance(listed, str) else listed
        return [self._text(key) if key.startswith(("env:", "file:")) else key for key in listed]

    def url(self, given: str) -> str:
        """Return the URL of a server, whose password may only be referred to; ``memory://`` if it need not be there."""
        if given.startswith(("env:", "file:")):
            _reference(given)
            return self._text(given) if self._needed else "memory://"
        if _holds_password(given):
            msg = 'the URL holds a password, which never stands in the file; write "env:NAME" in its place'
            raise ConfigError(msg)
        return given


def _reference(given: object) -> tuple[str, str]:
    """Return kind and rest of a reference; raise ``ConfigError``, which shows nothing: it may be a secret."""
    match = _REFERENCE.fullmatch(given) if isinstance(given, str) else None
    if match is None:
        msg = (
            "a secret is never written into the file, which is copied, committed and read by others; refer to it: "
            '"env:NAME", "file:/run/secrets/NAME" or "call:package.module:function"'
        )
        raise ConfigError(msg)
    if match[1] == "env" and not _VARIABLE.fullmatch(match[2]):
        msg = "env: is followed by the name of a variable, letters, digits and underscores, not by its value"
        raise ConfigError(msg)
    return match[1], match[2]


def _variable(name: str) -> str:
    raw = os.environb.get(name.encode()) if os.supports_bytes_environ else os.environ.get(name, "").encode()
    if raw is None:
        msg = f"env:{name} is not set; set {name} in the environment in which the application starts"
        raise ConfigError(msg)
    if not raw.strip():
        msg = f"env:{name} is empty; anybody can sign with an empty secret"
        raise ConfigError(msg)
    return secret_text(raw)


def _about(name: str, given: object) -> Any:  # noqa: ANN401 - what ``Secret`` takes under that name
    if name not in OF_A_SECRET:
        raise ConfigError(values.unknown(name, OF_A_SECRET))
    hint = OF_A_SECRET[name]
    if hint is not datetime:
        return values.value(given, hint)
    try:
        return datetime.fromisoformat(given) if isinstance(given, str) else given
    except ValueError:
        msg = f"{name}: write a time with its offset, such as 2026-12-01T00:00:00Z"
        raise ConfigError(msg) from None


def _holds_password(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.password) or "password" in parse_qs(parts.query)
    except ValueError:
        return True  # who knows


def _nobody(_head: object) -> None:
    """Stand in for a function that finds secrets: it knows no party."""
