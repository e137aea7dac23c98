"""What no template can say, by name: a scheme reads a request as the statements its sender signed, and writes them.

``Provider(scheme="...")`` names one; the file that bears the name is imported when a record is made with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, cast

from hooklatch.errors import SignatureMissing
from hooklatch.fields import FormField, Header, Query
from hooklatch.types import NO_FIELDS, Coverage

if TYPE_CHECKING:
    from hooklatch.provider import Provider
    from hooklatch.signing import Draft
    from hooklatch.types import Facts, Head, Signer

__all__ = ["SCHEMES", "OfFields", "Scheme", "Setting", "Statement", "scheme"]

SCHEMES: Final[Mapping[str, str]] = {
    name: name
    for name in (
        "adyen_items",
        "aws_sns",
        "braintree",
        "contentful",
        "detached_jws",
        "http_signature",
        "jwt",
        "kong_hmac",
        "php_serialized",
        "plivo",
        "sorted_form",
        "sorted_pairs",
        "twilio",
    )
}
"""Names of schemes, and the module in this folder that has each as ``SCHEME``."""


class Statement(NamedTuple):
    """One signed content, the signatures offered for it, and the fields it proves."""

    content: bytes
    offers: Sequence[str]
    """As text, in the record's ``encoding`` and behind its ``prefix``."""
    fields: Mapping[str, str] = NO_FIELDS
    others: Sequence[bytes] = ()
    """Further contents that the signature may be of instead, where a sender is not sure how it wrote a thing."""
    item: bool = False
    """Whether it is an entry of a batch: its fields are then one of ``webhook.items``."""
    whole: bool = False
    """Whether it proves every byte of the body, though the scheme does not always."""


class Setting(NamedTuple):
    """What a scheme knows before any request comes."""

    record: Provider
    public_url: str = ""
    """The URL the sender was given, without query; empty where the route names none."""
    expect: Mapping[str, str] = NO_FIELDS
    """Values that the signed content must hold, by the names of ``Provider.expects``."""

    def url(self, query: str) -> str:
        """Return the URL the sender was given, with the *query* as it was received."""
        return f"{self.public_url}?{query}" if query else self.public_url

    def offered(self, head: Head) -> list[str]:
        """Return the signatures in the *head*; raise ``SignatureMissing`` if there is none."""
        places = self.record.places
        offers = [text for place in places if isinstance(place, Header | Query) for text in place.read(head)]
        if not offers:
            raise SignatureMissing
        return offers

    def taken(self, form: dict[str, str]) -> list[str]:
        """Take the signatures out of the fields of a *form*; raise ``SignatureMissing`` if one is absent."""
        offers = [form.pop(place.name, "") for place in self.record.places if isinstance(place, FormField)]
        if not all(offers):
            raise SignatureMissing
        return offers


class Scheme(Protocol):
    """One way of signing. It holds nothing of a request; ``facts`` does."""

    def coverage(self, record: Provider, /) -> Coverage:
        """Return what a valid signature of *record*'s sender vouches for."""

    @property
    def proves(self) -> frozenset[str]:
        """Return which of ``timestamp`` and ``id`` stand in the signed content, wherever the record reads them."""

    @property
    def needs_url(self) -> bool:
        """Return whether the signed content holds the URL the sender was given (``public_url``)."""

    @property
    def opens_body(self) -> bool:
        """Return whether the body is parsed before anything is proven, which bounds its size."""

    def look(self, setting: Setting, facts: Facts, /) -> None:
        """Refuse, by the head alone, what cannot be proven; raise an ``Answer``."""

    def statements(self, setting: Setting, facts: Facts, /) -> Sequence[Statement]:
        """Return what was signed, all of which must hold: at least one. ``facts.body`` is whole by now.

        Raises an ``Answer``: ``SignatureMissing``, ``SignatureMalformed``, ``BodyMalformed`` ...
        """

    def sign(self, setting: Setting, draft: Draft, key: Signer, /) -> None:
        """Add to *draft* what the sender adds, the signature included; raise ``ConfigError``."""


class OfFields:
    """What schemes have in common that prove the fields of a body, which must be parsed for that."""

    proves: frozenset[str] = frozenset()
    needs_url = False
    opens_body = True

    def coverage(self, record: Provider, /) -> Coverage:  # noqa: ARG002 - the same for all records
        """Return what a valid signature vouches for."""
        return "fields"


def scheme(name: str) -> Scheme:
    """Return the scheme called *name*, one of ``SCHEMES``."""
    return cast("Scheme", import_module(f"{__name__}.{SCHEMES[name]}").SCHEME)
