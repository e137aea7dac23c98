"""What a signature covers that names its parts itself: the components of RFC 9421, and digests of the body."""

from __future__ import annotations

import hashlib
from hmac import compare_digest
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote, urlsplit

from hooklatch.errors import HeaderDuplicated, SignatureMalformed, SignatureMismatch
from hooklatch.structured_fields import Item, dictionary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hooklatch.types import Head

DIGESTS: Final = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
"""The algorithms of RFC 9530 that are not deprecated."""

PORTS: Final = {"http": 80, "https": 443}

_PATH: Final = "/:@!$&'()*+,;=~-._"


def component(item: Item, head: Head, public_url: str) -> str:
    """Return the value of the component that *item* identifies (RFC 9421, section 2); raise ``SignatureMalformed``.

    *public_url*: the URL the sender was given; without it the authority is what the request says, and ``@scheme`` and
    ``@target-uri`` are unknown.
    """
    name = item.value
    if not isinstance(name, str) or (item.params and name != "@query-param") or name != name.lower():
        msg = f"the component {item} is not understood"
        raise SignatureMalformed(msg)
    return _derived(item, name, head, public_url) if name.startswith("@") else field(name, head)


def field(name: str, head: Head) -> str:
    """Return the value of the header *name*, lines joined (RFC 9421, section 2.1); raise ``SignatureMalformed``."""
    lines = [line.strip(" \t") for line in head.headers.all(name)]
    text = ", ".join(lines)
    if not lines or not (text.isprintable() or not text):
        msg = f"the signed header {name} is absent or malformed"
        raise SignatureMalformed(msg)
    return text


def raw_path(head: Head) -> str:
    """Return the path as it was requested, escaped again where the server hides that."""
    return head.raw_path or quote(head.path, safe=_PATH, encoding="latin-1") or "/"


def _derived(item: Item, name: str, head: Head, public_url: str) -> str:  # noqa: PLR0911 - a table of names
    query = f"?{head.query}" if head.query else ""
    match name:
        case "@method":
            return head.method
        case "@path":
            return raw_path(head)
        case "@query":
            return query or "?"
        case "@request-target":
            return raw_path(head) + query
        case "@authority":
            return _authority(public_url) if public_url else field("host", head).lower()
        case "@scheme" if public_url:
            return urlsplit(public_url).scheme
        case "@target-uri" if public_url:
            return public_url + query
        case "@query-param" if item.params.keys() == {"name"}:
            return _parameter(item.params["name"], head)
    msg = f"the component {item} is not understood, or needs public_url="
    raise SignatureMalformed(msg)


def _authority(url: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2].lower()
    return host.removesuffix(f":{PORTS[parts.scheme]}")


def _parameter(name: object, head: Head) -> str:
    try:
        pairs = parse_qsl(head.query, keep_blank_values=True, max_num_fields=100, errors="strict")
    except ValueError as bad:
        msg = "the query cannot be read"
        raise SignatureMalformed(msg) from bad
    found = [value for key, value in pairs if quote(key, safe="*-._") == name]
    if len(found) != 1:
        msg = f"a signed query parameter stands {len(found)} times in the query"
        raise SignatureMalformed(msg)
    return quote(found[0], safe="*-._")


def demand_digest(lines: Sequence[str], body: bytes) -> None:
    """Demand that the ``Content-Digest`` in *lines* (RFC 9530) is the *body*'s, by every algorithm that is understood.

    Raises ``SignatureMalformed`` where there is none, ``SignatureMismatch``.
    """
    if len(lines) > 1:
        msg = f"content-digest was sent {len(lines)} times"
        raise HeaderDuplicated(msg)
    try:
        members = dictionary(lines[0] if lines else "")
    except ValueError as bad:
        msg = "content-digest is absent or malformed"
        raise SignatureMalformed(msg) from bad
    understood = {name: one.value for name, one in members.items() if name in DIGESTS and isinstance(one, Item)}
    if not understood:
        msg = f"content-digest has none of {', '.join(DIGESTS)}"
        raise SignatureMalformed(msg)
    demand(understood, body)


def demand(digests: Mapping[str, object], body: bytes) -> None:
    """Demand that all *digests*, by their algorithms, are the *body*'s; raise ``SignatureMismatch``."""
    for name, value in digests.items():
        if not isinstance(value, bytes) or not compare_digest(DIGESTS[name](body).digest(), value):
            msg = "the digest that was signed is another body's"
            raise SignatureMismatch(msg)
