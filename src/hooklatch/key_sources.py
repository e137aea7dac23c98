"""Where the keys of a sender with a private key come from: given as text, by a callable, or read from the sender."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from hooklatch.errors import ConfigError
from hooklatch.fetching import Fetcher, fetch
from hooklatch.jwks import read_key_set
from hooklatch.public_keys import public_keys
from hooklatch.remote_keys import KeySource, Published, Remote
from hooklatch.secrets import PublicRing

if TYPE_CHECKING:
    from hooklatch.provider import Provider
    from hooklatch.types import Key

FindKey: TypeAlias = Callable[[str], object]
"""Returns the key of an id: PEM, a JSON Web Key (text or dict), bytes, a list of these, or None where there is none."""

PublicKeys: TypeAlias = str | bytes | Sequence[str | bytes] | FindKey


def keys(record: Provider, given: PublicKeys | None, fetcher: Fetcher | None) -> PublicRing | Remote:
    """Return the keys *given* for *record*, or those that its sender publishes; raise ``ConfigError``."""
    if given is None:
        place = record.published
        if place is None:
            msg = f"{record.name} publishes its keys nowhere that needs no account; give public_keys="
            raise ConfigError(msg)
        source = _read(record.algorithm, place, fetcher or fetch)
        return Remote(source, url=place.url, named_by=place.named_by, allowed=place.allowed, key_id=record.key_id)
    if callable(given):
        return Remote(_asked(record.algorithm, given), key_id=record.key_id)
    return PublicRing(given, lambda text: public_keys(record.algorithm, text))


def _read(algorithm: str, place: Published, fetcher: Fetcher) -> KeySource:
    def source(url: str) -> Mapping[str, Key]:
        document = fetcher(url)
        if place.form == "jwks":
            return read_key_set(algorithm, document)
        if place.within:
            found = json.loads(document)
            for step in place.within:
                found = found[step]
            return _numbered(algorithm, found)
        return _numbered(algorithm, document.decode("ascii"))

    return source


def _asked(algorithm: str, call: FindKey) -> KeySource:
    def source(key_id: str) -> Mapping[str, Key]:
        found = call(key_id)
        return {} if found is None else _numbered(algorithm, found)

    return source


def _numbered(algorithm: str, found: object) -> dict[str, Key]:
    """Return the keys of what was *found*, which are all meant; raise ``ConfigError``."""
    listed = found if isinstance(found, list | tuple) else [found]
    texts = [json.dumps(one) if isinstance(one, Mapping) else one for one in listed]
    made = [key for text in texts for key in public_keys(algorithm, _text(text))]
    return {f"#{place}": key for place, key in enumerate(made)}


def _text(found: object) -> str | bytes:
    if isinstance(found, str | bytes):
        return found
    msg = f"a public key is text, bytes or a JSON Web Key, not {type(found).__name__}"
    raise ConfigError(msg)
