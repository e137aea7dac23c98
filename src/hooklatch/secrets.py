"""Secrets: what the user pastes, what may be one, and the keys made of them.

A ``str`` is *one* secret: never iterated, never split at a comma (Supabase's begin with ``v1,``). What can only be a
mistake is a ``ConfigError`` when the application starts, because a wrong key refuses genuine deliveries and an empty
or guessable one accepts everything.
"""

from __future__ import annotations

import base64
import binascii
import enum
import hashlib
import os
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from hooklatch.errors import ConfigError, SecretUnavailable
from hooklatch.types import ActiveKey, Fetch, Head

if TYPE_CHECKING:
    from hooklatch.types import Key

SHORT: Final = 16
"""Secrets of fewer bytes can be guessed; they draw a warning at start-up."""

RINGS: Final = 1000
"""How many parties' keys a source keeps prepared."""

SOURCE_TIMEOUT: Final = 5.0
"""Seconds a callable may take to come up with the secrets."""


class Pending(enum.Enum):
    """Stands in the place of secrets that a handshake will bring, see ``hooklatch.handshakes``."""

    PENDING = "pending"


PENDING: Final = Pending.PENDING

_PLACEHOLDER: Final = re.compile(r"\*+|<.*>|\$\{.*\}|\$\(.*\)|%\(.*\)s|\{\{.*\}\}|(env|file):.*", re.DOTALL)
_NOT_SYMMETRIC: Final = re.compile(
    r"-----BEGIN |ssh-(rsa|ed25519|dss) |ecdsa-sha2-|whpk_|whsk_|\s*\{.*\"kty\"", re.DOTALL
)


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """One shared secret: text or bytes, and from when until when it counts (aware datetimes).

    *test*: what it signs is test traffic; *name*: how logs call it. Its ``repr`` does not show the value.
    """

    value: str | bytes
    not_before: datetime | None = field(default=None, kw_only=True)
    not_after: datetime | None = field(default=None, kw_only=True)
    test: bool = field(default=False, kw_only=True)
    name: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        """Raise ``ConfigError`` for what cannot be a secret."""
        _check_value(self.value)
        for setting in ("not_before", "not_after"):
            moment = getattr(self, setting)
            if moment is not None and (not isinstance(moment, datetime) or moment.utcoffset() is None):
                msg = f"Secret({setting}=...) must be an aware datetime, such as datetime(2026, 12, 1, tzinfo=UTC)"
                raise ConfigError(msg)
        if self.not_before and self.not_after and self.not_before >= self.not_after:
            msg = "Secret: not_before must be earlier than not_after, or the secret never counts"
            raise ConfigError(msg)

    def __repr__(self) -> str:
        """Return everything but the value."""
        shown = [f"{s}={v!r}" for s in ("not_before", "not_after", "test", "name") if (v := getattr(self, s))]
        return f"Secret({', '.join(['***', *shown])})"

    def in_force(self, now: float) -> bool:
        """Return whether the secret counts at unix time *now*."""
        return (self.not_before is None or self.not_before.timestamp() <= now) and (
            self.not_after is None or now < self.not_after.timestamp()
        )


OneSecret: TypeAlias = str | bytes | Secret
Secrets: TypeAlias = OneSecret | Sequence[OneSecret]


@dataclass(frozen=True, slots=True, repr=False)
class Party:
    """One of several tenants on a route: its *name*, and its *secrets*, newest first."""

    name: str
    secrets: Secrets

    def __post_init__(self) -> None:
        """Raise ``ConfigError`` for a name that is no text."""
        if not isinstance(self.name, str) or not self.name:
            msg = "Party(name, secrets): the name is a non-empty text"
            raise ConfigError(msg)

    def __repr__(self) -> str:
        """Return the name only."""
        return f"Party({self.name!r}, ***)"


FindSecrets: TypeAlias = Callable[[Head], object]
"""Returns secrets or a ``Party`` for a request's head, or None for a party it does not know; may be ``async``."""


class Ring:
    """The keys of one party, newest first, each with the time in which it counts."""

    __slots__ = ("_always", "entries", "party", "tests")

    def __init__(self, secrets: Secrets, make: Callable[[bytes], Key], decode: str, party: str | None = None) -> None:
        """*make* turns key bytes into a key, *decode* names how text becomes bytes; raise ``ConfigError``."""
        self.party = party
        given = as_secrets(secrets)
        self.entries = tuple(
            (secret, ActiveKey(make(decode_secret(secret.value, decode)), index, secret.test))
            for index, secret in enumerate(given)
        )
        live = {decode_secret(s.value, decode) for s in given if not s.test}
        if any(decode_secret(s.value, decode) in live for s in given if s.test):
            msg = "secrets: the same secret is given as a live and as a test secret; the key could not tell them apart"
            raise ConfigError(msg)
        self.tests = any(secret.test for secret in given)
        """Whether one of the secrets signs test traffic."""
        bounded = any(secret.not_before or secret.not_after for secret in given)
        self._always = None if bounded else tuple(active for _, active in self.entries)

    def active(self, now: float, /) -> tuple[ActiveKey, ...]:
        """Return the keys in force at unix time *now*; raise ``SecretUnavailable`` if there is none."""
        if self._always is not None:
            return self._always
        found = tuple(active for secret, active in self.entries if secret.in_force(now))
        if not found:
            msg = "no secret is in force: check not_before and not_after, and the clock"
            raise SecretUnavailable(msg)
        return found


class PublicRing:
    """Public keys: no secret, no party, always in force."""

    __slots__ = ("_active",)
    party = None
    tests = False

    def __init__(self, given: object, make: Callable[[str | bytes], Sequence[Key]]) -> None:
        """*given*: one text or several, newest first, of which *make* makes keys; raise ``ConfigError``."""
        listed: list[object] = list(given) if isinstance(given, list | tuple) else [given]
        keys = [key for key in listed if isinstance(key, str | bytes)]
        if len(keys) < len(listed):
            msg = "public_keys: give PEM, hex or base64 text, bytes, or a list of them"
            raise ConfigError(msg)
        if not keys:
            msg = "public_keys: the list is empty; a route without a key would accept nothing or everything"
            raise ConfigError(msg)
        made = [one for key in keys for one in make(key)]
        self._active = tuple(ActiveKey(key, place, test=False) for place, key in enumerate(made))

    def active(self, now: float, /) -> tuple[ActiveKey, ...]:  # noqa: ARG002 - always in force
        """Return all keys."""
        return self._active


class Source:
    """Secrets that a callable finds for each request's head; the rings made of them are kept, the newest 1000."""

    __slots__ = ("_call", "_decode", "_make", "_rings", "_stranger")

    def __init__(self, call: FindSecrets, make: Callable[[bytes], Key], decode: str) -> None:
        """*call*: see ``FindSecrets``; *make* and *decode* as for ``Ring``."""
        self._call = call
        self._make = make
        self._decode = decode
        self._rings: OrderedDict[tuple[str | None, tuple[Secret, ...]], Ring] = OrderedDict()
        # An unknown party is refused like a wrong signature, at the same cost.
        self._stranger = Ring(os.urandom(32), make, decode)

    def wish(self, head: Head) -> Fetch:
        """Return the wish to call the source for *head*."""
        return Fetch(partial(self._call, head), SOURCE_TIMEOUT)

    def ring(self, found: object) -> Ring:
        """Return the keys of what the source *found*; raise ``SecretUnavailable`` if that is no usable secret."""
        if found is None:
            return self._stranger
        try:
            party, secrets = (found.name, found.secrets) if isinstance(found, Party) else (None, found)
            known = (party, as_secrets(secrets))
            ring = self._rings.get(known)
            if ring is None:
                ring = self._rings[known] = Ring(known[1], self._make, self._decode, party)
                if len(self._rings) > RINGS:
                    self._rings.popitem(last=False)
        except ConfigError as bad:
            msg = f"the source of the secrets returned what cannot be one: {bad}"
            raise SecretUnavailable(msg) from bad
        except Exception as bad:
            # What a source returns may be lazy, such as rows of a database, and fail only now.
            msg = f"the source of the secrets failed: {type(bad).__name__}"
            raise SecretUnavailable(msg) from bad
        return ring


def as_secrets(given: object) -> tuple[Secret, ...]:
    """Return *given* (one secret, or a sequence of them) as secrets; raise ``ConfigError`` for anything else."""
    if isinstance(given, Secret):
        return (given,)
    if isinstance(given, str | bytes):
        return (Secret(value=given),)
    if isinstance(given, Iterable) and not isinstance(given, dict | set | frozenset):
        found = tuple(one for item in given for one in _as_one(item))
        if found:
            return found
        msg = "secrets: the list is empty; a route without a secret would accept nothing or everything"
        raise ConfigError(msg)
    msg = (
        f"secrets: {type(given).__name__} is no secret; give text, bytes, a Secret, or a list of them "
        "(a number read from the environment lost its text: quote it, or read it with os.environ)"
    )
    raise ConfigError(msg)


def _as_one(item: object) -> tuple[Secret, ...]:
    if isinstance(item, list | tuple):
        msg = "secrets: a list in a list; give one flat list, newest first"
        raise ConfigError(msg)
    return as_secrets(item)


def _check_value(value: object) -> None:
    if isinstance(value, bytes):
        text = value.decode("latin-1")
    elif isinstance(value, str):
        text = value
    else:
        msg = (
            f"a secret is text or bytes, not {type(value).__name__}: "
            "Flask's from_prefixed_env and YAML turn digits into numbers; quote the value"
        )
        raise ConfigError(msg)
    if not text.strip(" \t\r\n\0"):
        msg = "a secret is empty: is the environment variable set? Anybody can sign with an empty secret"
        raise ConfigError(msg)
    if _NOT_SYMMETRIC.match(text):
        msg = (
            "a secret looks like an asymmetric key (PEM, ssh, JWK, whpk_ or whsk_); "
            "a public key is known to everybody and would accept everything as an HMAC secret"
        )
        raise ConfigError(msg)
    if isinstance(value, str):
        if not _encodable(value):
            # The exception of the encoder would hold the whole secret.
            msg = "a secret is not UTF-8 text; give bytes if it is meant to be binary"
            raise ConfigError(msg)
        if value != value.strip():
            msg = "a secret has blanks or a line break at its ends; remove them"
            raise ConfigError(msg)
        if _PLACEHOLDER.fullmatch(value):
            msg = "a secret is still a placeholder or an unresolved reference; put the value in its place"
            raise ConfigError(msg)
        if value in {"whsec_", "v1,whsec_"}:
            msg = f"the secret is {value!r} with nothing behind it; copy it whole"
            raise ConfigError(msg)


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def decode_secret(value: str | bytes, how: str) -> bytes:
    """Return the key bytes of *value*; raise ``ConfigError`` where it is not in the form *how* names.

    ``utf-8``: the text's own bytes; ``hex``, ``base64``: decoded; ``whsec``: base64 behind an optional ``whsec_`` or
    ``v1,whsec_`` (Standard Webhooks 1.0.0; padding may be missing); ``sha1``: the SHA-1 of the text's bytes. Bytes are
    taken as they are.
    """
    if how not in KEY_ENCODINGS:
        msg = f"key_encoding={how!r} is unknown; known are {', '.join(KEY_ENCODINGS)}"
        raise ConfigError(msg)
    if isinstance(value, bytes):
        return value
    if how == "utf-8":
        return value.encode("utf-8")
    if how == "sha1":
        return hashlib.sha1(value.encode("utf-8"), usedforsecurity=False).digest()
    try:
        if how == "hex":
            return binascii.unhexlify(value)
        text = value.removeprefix("v1,").removeprefix("whsec_") if how == "whsec" else value
        text = text.rstrip("=")
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError as bad:
        msg = f"a secret of this sender is {how} text, but the given one cannot be decoded; copy it whole"
        raise ConfigError(msg) from bad


KEY_ENCODINGS: Final = ("utf-8", "hex", "base64", "whsec", "sha1")
