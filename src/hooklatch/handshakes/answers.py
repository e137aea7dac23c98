"""The forms in which a handshake is answered, and what may stand in them. A browser must find nothing to run."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from hooklatch.documents import JSONDocument
from hooklatch.errors import BodyMalformed, ConfigError, Handshake, HandshakeMalformed
from hooklatch.verifiers.offers import encoded

if TYPE_CHECKING:
    from hooklatch.errors import Headers
    from hooklatch.handshakes import Setting
    from hooklatch.types import Facts

NOSNIFF: Final = ("x-content-type-options", "nosniff")

ECHO: Final = re.compile(r"[!-;=?-~]{1,256}")
"""What is echoed: printable ASCII without blanks and angle brackets."""

ECHO_WITH_BLANKS: Final = re.compile(r"[ -;=?-~]{1,256}")

TOKENS: Final = {
    "word": re.compile(r"[A-Za-z0-9+/_=-]{1,256}"),
    "urlword": re.compile(r"[A-Za-z0-9_-]{1,128}"),
    "hex": re.compile(r"[0-9a-f]{20,32}"),
}
"""What is signed with the delivery key. None of these can be a delivery, whose signature would be given away."""


def well_formed(token: str, grammar: re.Pattern[str]) -> str:
    """Return *token*; raise ``HandshakeMalformed`` unless it is what the *grammar* describes."""
    if not grammar.fullmatch(token):
        msg = "what the handshake wants answered is too long or holds characters that are not answered"
        raise HandshakeMalformed(msg)
    return token


def plain(text: str) -> Handshake:
    """Return *text*, which was checked, as plain text."""
    return _made("text/plain; charset=utf-8", text)


def members(**found: object) -> Handshake:
    """Return a JSON object."""
    return _made("application/json", json.dumps(found, separators=(",", ":")))


def nothing(*headers: tuple[str, str]) -> Handshake:
    """Return an empty answer with *headers*."""
    return _made("text/plain; charset=utf-8", "", *headers)


def _made(kind: str, text: str, *more: tuple[str, str]) -> Handshake:
    answer = Handshake()
    headers: Headers = (("content-type", kind), NOSNIFF, *more)
    answer.headers = headers
    answer.body = text.encode("ascii")
    return answer


def demand_hmac(setting: Setting) -> None:
    """Raise ``ConfigError`` unless the record's secret is an HMAC key, with which a token can be signed."""
    if not setting.record.algorithm.startswith("hmac-"):
        msg = f"{setting.record.name}: this handshake is answered with an HMAC, and the record's algorithm is none"
        raise ConfigError(msg)


def tag(facts: Facts, token: str, *, encoding: str, prefix: str = "") -> str:
    """Return the HMAC of *token* (ASCII, checked against one of ``TOKENS``) under the delivery key, as text.

    The key is the one that proved the request, else the newest that is not for tests.
    """
    live = [active for active in facts.keys if not active.test] or list(facts.keys)
    key = next((active.key for active in facts.keys if active.place == facts.key_index), live[0].key)
    running = key.start()
    running.update(token.encode("ascii"))
    return prefix + encoded(key.digest(running), encoding)


def document(body: bytes, *needles: str) -> JSONDocument | None:
    """Return *body* as JSON; None where it is none, or one of the *needles* does not even stand in it."""
    if not all(needle.encode("ascii") in body for needle in needles):
        return None
    try:
        return JSONDocument(body)
    except BodyMalformed:
        return None


def matches(found: JSONDocument, condition: str) -> bool:
    """Return whether *found* fulfils *condition*: ``path:value``, where ``[]`` is an empty list."""
    path, _, wanted = condition.partition(":")
    try:
        value = found.find(*path.split("."))
    except (KeyError, BodyMalformed):
        return False
    return value == [] if wanted == "[]" else isinstance(value, str) and value == wanted
