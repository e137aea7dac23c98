"""``Provider``: how one sender signs, as a record of facts that both verifies and signs.

It holds no secret and no policy: those go to ``chain()``. Facts change with ``using()``, which checks the copy again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeAlias, Unpack

from hooklatch.assemble import assemble
from hooklatch.chain import Chain, Options, positive
from hooklatch.errors import ConfigError
from hooklatch.fields import Claim, Field, FormField, Header, HeadField, JSONField, Query
from hooklatch.keys import HMAC_ALGORITHMS, PLAIN_ALGORITHMS, PUBLIC_ALGORITHMS, HMACKey, PlainKey, TokenKey
from hooklatch.secrets import KEY_ENCODINGS, Secret, as_secrets, decode_secret
from hooklatch.template import URLS, Template
from hooklatch.types import UNITS, Coverage, Delivery, Repeats, Unit
from hooklatch.verifiers.offers import ENCODINGS

if TYPE_CHECKING:
    from hooklatch.fields import BodyField
    from hooklatch.key_sources import PublicKeys
    from hooklatch.remote_keys import Published
    from hooklatch.schemes import Scheme
    from hooklatch.secrets import FindSecrets, OneSecret, Pending, Secrets
    from hooklatch.types import Signer, SigningKey

OWN_ADDRESS: Final = frozenset({"@authority", "@scheme", "@target-uri"})
"""Components that only the route's own address proves: a request's ``Host`` is its sender's word."""

Claims: TypeAlias = str | bool | tuple[str, ...]
Evidence: TypeAlias = Literal["sdk", "published", "documentation", "unconfirmed"]


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One sender. Each fact is named once, here; ``docs`` is where it was read and ``evidence`` how sure it is."""

    name: str
    signature: Field | tuple[Field, ...]
    """Where the signature stands; several places are read together."""
    signed: str = "{body}"
    """The signed content, see ``hooklatch.template``; means nothing where a scheme is named."""
    scheme: str = ""
    """What no template can say, by name, see ``hooklatch.schemes``."""
    components: tuple[str, ...] = ()
    """What the signature must cover, for schemes whose requests say what theirs covers."""
    label: str = ""
    """Which of several signatures counts, where they have names; empty: the only one."""
    claims: Mapping[str, Claims] = field(default_factory=dict)
    """What the token must claim, for JWTs: the value, or several of which one must be it."""
    body_claim: str = ""
    """The claim that holds the SHA-256 of the body in hex, for JWTs."""
    published: Published | None = None
    """Where the sender publishes its public keys; None: nowhere that needs no account."""
    key_id: HeadField | None = None
    """Where a request names its key, for senders that have several, unless the scheme reads that."""
    expects: tuple[str, ...] = ()
    """Values that the signed content holds and the receiver must know, such as a topic; given with ``expect=``."""
    algorithm: str = "hmac-sha256"
    encoding: str = "hex"
    """``hex``, ``base64``, ``base64url``; for a token ``text``, or ``base64`` as HTTP Basic shows ``user:password``."""
    prefix: str = ""
    """What stands before the encoded signature, such as ``sha256=``."""
    key_encoding: str = "utf-8"
    """How the pasted secret becomes key bytes: ``utf-8``, ``hex``, ``base64``, ``whsec``, ``sha1``."""
    adjacent: bool = False
    """The sender joins parts of open grammar without a separator; ``quirks`` says what may shift."""
    reusable: bool = False
    """One signature is meant to be sent many times: it proves a value and not an event."""
    every: float | None = None
    """Seconds of one ``{interval}``."""
    neighbours: int = 1
    """How many intervals on either side count."""
    fields_in: Literal["json", "form"] = "json"
    """How the body is written whose fields are signed, where the signature itself is in the head."""

    timestamp: Field | None = None
    timestamp_unit: Unit = "s"
    id: Field | None = None
    dispatch: tuple[str, ...] = ()
    """Unsigned headers by which applications decide; another value under the same key is ``duplicate_altered``."""
    apart: tuple[str, ...] = ()
    """Unsigned headers that tell honest deliveries of one signed content apart, such as Shopify's topic."""
    unsigned: Mapping[str, HeadField] = field(default_factory=dict)
    """What the sender claims without proof, by the name under which ``webhook.unsigned`` shows it."""
    agents: tuple[str, ...] = ()
    """The sender's own User-Agents."""
    repeats: Repeats = "never"
    """Whether honest equal deliveries occur."""
    retries: float = 0.0
    """Seconds over which the sender tries again; 0 for one attempt."""

    max_age: float | None = None
    max_skew: float = 60.0
    max_body: int | None = None
    """Largest body the sender documents (bytes); None: a usual one, smaller where bodies are parsed before proof."""
    methods: tuple[str, ...] = ("POST",)
    refusal_status: int = 401
    bare_refusals: bool = False
    """The sender wants refusals without a body."""

    handshake: str = ""
    """What the sender asks beside its deliveries, see ``hooklatch.handshakes``; answered only where a route says so."""

    docs: str = ""
    evidence: Evidence = "unconfirmed"
    quirks: str = ""

    def __post_init__(self) -> None:  # noqa: PLR0912 - the rules of a record, read in one place
        """Raise ``ConfigError`` for facts that contradict each other, or would trust what no signature covers."""
        _one_of(self.name, "encoding", self.encoding, ENCODINGS)
        _one_of(self.name, "key_encoding", self.key_encoding, KEY_ENCODINGS)
        _one_of(
            self.name, "algorithm", self.algorithm, (*HMAC_ALGORITHMS, *PLAIN_ALGORITHMS, "token", *PUBLIC_ALGORITHMS)
        )
        _one_of(self.name, "repeats", self.repeats, ("never", "possible", "normal"))
        _one_of(self.name, "timestamp_unit", self.timestamp_unit, UNITS)
        _one_of(self.name, "fields_in", self.fields_in, ("json", "form"))
        if self.handshake:
            from hooklatch.handshakes import MECHANISMS  # noqa: PLC0415 - most senders make none

            _one_of(self.name, "handshake", self.handshake.partition(" ")[0], ("", *MECHANISMS))
        _one_of(self.name, "evidence", self.evidence, ("sdk", "published", "documentation", "unconfirmed"))
        if self.encoding not in (("text", "base64") if self.algorithm == "token" else ("hex", "base64", "base64url")):
            msg = (
                f"{self.name}: encoding={self.encoding!r} and algorithm={self.algorithm!r} do not go together: a token "
                "is shown as it is ('text') or as HTTP Basic shows it ('base64'), and only a token is text"
            )
            raise ConfigError(msg)
        if self.max_age is not None and self.timestamp is None:
            msg = f"{self.name}: max_age needs a signed timestamp; say where it is with timestamp="
            raise ConfigError(msg)
        if self.scheme:
            _scheme(self)
        template = self.template
        for setting, place in (("timestamp", self.timestamp), ("id", self.id)):
            if place is None:
                if setting in template.names and not self.scheme:
                    msg = f"{self.name}: signed={self.signed!r} names {{{setting}}}; say where it is with {setting}="
                    raise ConfigError(msg)
            elif not self._proven(setting, place):
                msg = (
                    f"{self.name}: an unsigned {setting} proves nothing; put {{{setting}}} into signed= if the sender "
                    "signs it, or move it to unsigned="
                )
                raise ConfigError(msg)
        if self.scheme:
            return
        if (self.every is None) == ("interval" in template.names):
            msg = f"{self.name}: every= (seconds) and {{interval}} in signed= go together"
            raise ConfigError(msg)
        if self.every is not None:
            positive(self.name, every=self.every)
            if self.neighbours not in range(6):
                msg = (
                    f"{self.name}: neighbours={self.neighbours!r} must be 0 to 5; each one lengthens a signature's life"
                )
                raise ConfigError(msg)
        unknown = set(template.expects) - set(self.expects)
        if unknown:
            msg = f"{self.name}: signed={self.signed!r} names what the route expects; list it: expects={unknown!r}"
            raise ConfigError(msg)
        if template.fields and template.body:
            msg = f"{self.name}: signed={self.signed!r} names fields of a body it covers whole; leave the fields out"
            raise ConfigError(msg)

    def _proven(self, setting: str, place: Field) -> bool:
        if self.algorithm == "token":
            return False
        if self.scheme:
            return setting in _scheme(self).proves
        if isinstance(place, Claim):
            return False
        if isinstance(place, Header | Query):
            return setting in self.template.names
        names = self.template.fields
        signed = (
            place.path in [tuple(n.split(".")) for n in names] if isinstance(place, JSONField) else place.name in names
        )
        return signed or self.template.covers_body

    @property
    def template(self) -> Template:
        """The signed content, compiled."""
        return Template(self.signed, adjacent=self.adjacent)

    @property
    def places(self) -> tuple[Field, ...]:
        """Where the signature stands, as a tuple."""
        return self.signature if isinstance(self.signature, tuple) else (self.signature,)

    @property
    def kinds(self) -> tuple[type[BodyField], ...]:
        """The parsers that the body may need, as the record decides them."""
        kinds = tuple(type(place) for place in self.places if isinstance(place, JSONField | FormField))
        return kinds or ((JSONField,) if self.fields_in == "json" else (FormField,))

    @property
    def signs_url(self) -> bool:
        """Whether the signed content holds the URL the sender was given, so that a route must name it."""
        if self.scheme:
            return _scheme(self).needs_url or not OWN_ADDRESS.isdisjoint(self.components)
        return not URLS.isdisjoint(self.template.names)

    @property
    def opens_body(self) -> bool:
        """Whether the body is parsed before anything is proven."""
        if self.scheme:
            return _scheme(self).opens_body
        return bool(self.template.fields) or any(isinstance(place, JSONField | FormField) for place in self.places)

    @property
    def coverage(self) -> Coverage:
        """What a valid signature of this sender vouches for."""
        if self.scheme:
            return _scheme(self).coverage(self)
        if self.algorithm == "token":
            return "caller"
        template = self.template
        if template.covers_body:
            return "body"
        return "fields" if template.fields else "weak" if template.body else "caller"

    def using(self, **facts: Any) -> Self:  # noqa: ANN401 - the dataclass knows the types of its fields
        """Return a copy with other *facts*, checked again; raise ``ConfigError`` for one that no record has."""
        unknown = facts.keys() - self.__dataclass_fields__.keys()
        if unknown:
            known = ", ".join(self.__dataclass_fields__)
            msg = f"{self.name}: no fact is called {', '.join(sorted(unknown))}; facts are {known}"
            raise ConfigError(msg)
        return replace(self, **facts)

    def over(
        self, *fields: str, signature: str, every: float | None = None, neighbours: int = 1, join: str = ""
    ) -> Self:
        """Return a copy that signs body *fields*, in this order, with the signature in the body field *signature*.

        *every*: seconds of the interval whose number is appended (``neighbours`` on either side count); *join*: what
        stands between several fields, required because "1"+"23" and "12"+"3" would be signed alike.
        """
        if not fields:
            msg = f"{self.name}: over() needs at least one field"
            raise ConfigError(msg)
        if len(fields) > 1 and not join:
            msg = f"{self.name}: over{fields!r} needs join=, or '1'+'23' and '12'+'3' would be signed alike"
            raise ConfigError(msg)
        places = tuple(kind(*([signature] if kind is FormField else signature.split("."))) for kind in self.kinds)
        signed = join.join(f"{{field.{name}}}" for name in fields) + ("" if every is None else "{interval}")
        return replace(
            self, signature=places, signed=signed, every=every, neighbours=neighbours, reusable=every is None,
            repeats="possible" if every is None else "never",
        )  # fmt: skip

    def key(self, secret: bytes) -> SigningKey:
        """Return the usable form of *secret* (key bytes)."""
        if self.algorithm in PUBLIC_ALGORITHMS:
            msg = f"{self.name} signs with a private key, which only the sender has"
            raise ConfigError(msg)
        if self.algorithm == "token":
            return TokenKey(secret)
        return (PlainKey if self.algorithm in PLAIN_ALGORITHMS else HMACKey)(self.algorithm, secret)

    def chain(
        self,
        secrets: Secrets | FindSecrets | Pending | None = None,
        *,
        public_keys: PublicKeys | None = None,
        **options: Unpack[Options],
    ) -> Chain:
        """Return the rules for one route: this sender's facts and my policy.

        *secrets*: one ``str``, ``bytes`` or ``Secret``; a sequence of them, one party's, newest first; or a callable
        of the request's ``Head`` that returns these or a ``Party``; ``PENDING`` where a handshake will bring the
        secret, until when deliveries are answered with 503. *public_keys*: for senders that sign with a private key,
        one or several, newest first, see ``hooklatch.public_keys``; or a callable of the key id that a request names,
        which returns these or None; or nothing where the sender publishes its keys. For the *options* see
        ``hooklatch.chain.Options``. Raises ``ConfigError``.
        """
        return assemble(self, secrets, public_keys, options)

    def sign(
        self,
        body: bytes | Mapping[str, object],
        *,
        secret: OneSecret,
        id: str | None = None,  # noqa: A002 - the name every sender gives it
        at: float | None = None,
        method: str = "POST",
        url: str = "/",
        headers: Mapping[str, str] | None = None,
        expect: Mapping[str, str] | None = None,
    ) -> Delivery:
        """Return the delivery this sender would make of *body* at unix time *at* (seconds, now by default).

        *body*: the exact bytes, or fields to be written as JSON or a form. What the sender itself puts into a body
        (a timestamp, the signature) is added where the body lacks it; everything else is sent as given. *url*: for
        schemes that sign it, the whole one the sender was given; *expect*: see the option of that name. *secret*: for
        senders with a public key the private one, see ``hooklatch.private_keys``.
        """
        from hooklatch import signing  # noqa: PLC0415 - a receiver signs nothing

        key = self._signer(secret)
        return signing.deliver(self, body, key, id=id, at=time.time() if at is None else at, method=method, url=url,
                               headers=headers or {}, expect=expect or {})  # fmt: skip

    def _signer(self, secret: OneSecret) -> Signer:
        if self.algorithm in PUBLIC_ALGORITHMS:
            from hooklatch.private_keys import private_key  # noqa: PLC0415 - only these senders need pycryptodome

            return private_key(self.algorithm, secret.value if isinstance(secret, Secret) else secret)
        (only,) = as_secrets(secret)
        return self.key(decode_secret(only.value, self.key_encoding))


def _scheme(record: Provider) -> Scheme:
    """Return the scheme that *record* names; raise ``ConfigError`` for an unknown one."""
    from hooklatch.schemes import SCHEMES, scheme  # noqa: PLC0415 - most records are a template

    _one_of(record.name, "scheme", record.scheme, tuple(SCHEMES))
    return scheme(record.scheme)


def _one_of(name: str, fact: str, value: object, known: Sequence[object]) -> None:
    if value not in known:
        msg = f"{name}: {fact}={value!r} is unknown; known are {', '.join(map(str, known))}"
        raise ConfigError(msg)
