"""How a record and a route's options become a chain: which rules, in which order, with which figures.

The order is the promise of SECURITY.md: origin, method, required headers, declared length, a timestamp in the head,
body, signature, what is read from the proven body, age, signed handshakes, user agent, one's own verifiers, and only
then the claim. An unsigned handshake, on a route that answers them, is judged by its own rule instead of all these.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from hooklatch import verifiers
from hooklatch.chain import Chain, Identity, Options, positive
from hooklatch.digests import FAST_PACE, PURE_PYTHON_CAP
from hooklatch.errors import ConfigError
from hooklatch.fields import Claim, FormField, Header, JSONField, Query
from hooklatch.keys import PUBLIC_ALGORITHMS, SIGNATURE_SIZES
from hooklatch.secrets import PENDING, SHORT, PublicRing, Ring, Secret, Source, decode_secret
from hooklatch.shortcut import Rules
from hooklatch.verifiers.offers import Offers
from hooklatch.verifiers.user_agent import Agents

if TYPE_CHECKING:
    from hooklatch.chain import DuplicateKey
    from hooklatch.cors import CORS
    from hooklatch.handshakes import Mechanism
    from hooklatch.key_sources import PublicKeys
    from hooklatch.provider import Provider
    from hooklatch.remote_keys import Remote
    from hooklatch.secrets import FindSecrets, Pending, Secrets
    from hooklatch.types import Verifier

BODY: Final = 1 << 20
"""Largest body (bytes), unless the record or the route says otherwise."""

PARSED_BODY: Final = 1 << 14
"""Largest body (bytes) that is parsed before anything is proven, unless the route says otherwise."""

DAY: Final = 86_400.0
MONTH: Final = 30 * DAY
LONGEST_AGE: Final = DAY

Keys: TypeAlias = "Ring | PublicRing | Source | Remote"

_PUBLIC_URL: Final = re.compile(r"https?://[!-~]+")


def assemble(
    record: Provider,
    secrets: Secrets | FindSecrets | Pending | None,
    public_keys: PublicKeys | None,
    options: Options,
) -> Chain:
    """Return the chain of one route; raise ``ConfigError`` for options that contradict the record or each other."""
    unknown = sorted(options.keys() - Options.__annotations__.keys())
    if unknown:
        known = ", ".join(Options.__annotations__)
        msg = f"{record.name}: no option is called {', '.join(unknown)}; options are {known}"
        raise ConfigError(msg)
    notes: list[str] = []
    methods = _methods(record, options)
    policy = _cors(options)
    expected = _expected(record, options)
    handshake = _handshake(record, options, methods, pending=secrets is PENDING)
    keys = _keys(record, secrets, public_keys, options, notes)
    sample = _sample(record)
    max_body = _max_body(record, sample.pace, options, notes)
    tolerance = _tolerance(record, options, notes)
    kind = _duplicate_key(record, options)
    url = _public_url(record, options)
    offers = Offers(record.encoding, prefix=record.prefix, size=sample.size)
    method = verifiers.Method(methods)
    signature = _signature(record, offers, url, expected)
    overrides, cheap = verifiers.Overrides(), verifiers.Cheap(signature, costly=sample.costly)
    rules: list[Verifier] = [method, overrides, cheap]
    if policy is not None:
        rules.insert(0, verifiers.Origin(policy, methods))
    if secrets is PENDING:
        rules.insert(rules.index(method) + 1, verifiers.Waiting())
    event_id, stamp = _event_id(record), _timestamp(record, tolerance)
    length = verifiers.Length(max_body)
    age = None
    if tolerance is not None:
        age = verifiers.Age(*tolerance, head=isinstance(record.timestamp, Header | Query))
    rules += [rule for rule in (event_id, stamp, length, age) if rule is not None]
    if handshake is not None and handshake.signed:
        rules.append(verifiers.Proven(handshake))
    rules += _user_agent(record, options, keys, tolerance, notes)
    if kind == "body" or record.coverage != "body":
        rules.append(verifiers.BodyDigest())
    rules += options.get("extra", ())
    parses = bool(record.scheme) or record.opens_body
    parses = parses or any(isinstance(place, JSONField | FormField) for place in (record.timestamp, record.id))
    by_heart = [method, overrides, cheap, length, *(rule for rule in (event_id, stamp, age) if rule and rule.head)]
    others = [rule for rule in rules if not any(rule is known for known in by_heart)]
    memory = _memory(record, options, tolerance)
    if record.coverage != "body":
        notes.append(f"coverage is {record.coverage!r}: what else the body says is not proven")
        if kind == "body":
            notes.append("a duplicate is recognised by its body: that stops accidents, not somebody who edits the body")
    return Chain(
        rules,
        provider=record.name,
        keys=keys,
        coverage=record.coverage,
        max_body=max_body,
        body_timeout=options.get("body_timeout", 30.0),
        pace=sample.pace,
        parses=parses,
        refusal_status=options.get("refusal_status", record.refusal_status),
        cors=policy,
        on_duplicate=options.get("on_duplicate", "run" if record.repeats == "normal" else "acknowledge"),
        duplicate_key=kind,
        duplicate_ttl=memory.ttl,
        protect=memory.protect,
        lease=options.get("lease", 120.0),
        dispatch=record.dispatch,
        apart=record.apart,
        unsigned=record.unsigned,
        name=options.get("name", ""),
        notes=notes,
        timed=tolerance is not None or record.every is not None,
        identity=_identity(record, keys),
        beside=verifiers.Beside(handshake, record.places, methods) if handshake and handshake.unsigned else None,
        bare_refusals=record.bare_refusals,
        rules=Rules(method, signature, event_id, stamp, length, age, others),
    )


def _identity(record: Provider, keys: Keys) -> Identity:
    secrets = (
        [] if not isinstance(keys, Ring) else [decode_secret(s.value, record.key_encoding) for s, _ in keys.entries]
    )
    recipe = f"{record.algorithm} {record.scheme or record.signed} {record.every}"
    return Identity(recipe, frozenset(hashlib.sha256(secret).digest() for secret in secrets))


def _methods(record: Provider, options: Options) -> tuple[str, ...]:
    methods = options.get("methods", record.methods)
    if isinstance(methods, str) or not methods or not all(isinstance(m, str) and m.isupper() for m in methods):
        msg = f"{record.name}: methods={methods!r} must be a list of upper-case names, as in ['POST']"
        raise ConfigError(msg)
    return tuple(methods)


def _cors(options: Options) -> CORS | None:
    given = options.get("cors")
    if given is None:
        return None
    from hooklatch.cors import policy  # noqa: PLC0415 - few senders post from a browser

    return policy(given)


def _handshake(record: Provider, options: Options, methods: tuple[str, ...], *, pending: bool) -> Mechanism | None:
    if not pending and options.keys().isdisjoint({"handshake", "on_secret"}):
        return None
    from hooklatch.handshakes import prepared  # noqa: PLC0415 - most routes answer none

    return prepared(record, options, methods, pending=pending)


def _keys(
    record: Provider,
    secrets: Secrets | FindSecrets | Pending | None,
    public_keys: PublicKeys | None,
    options: Options,
    notes: list[str],
) -> Keys:
    public = record.algorithm in PUBLIC_ALGORITHMS
    if "fetch" in options and (not public or public_keys is not None):
        msg = f"{record.name}: fetch= reads keys that the sender publishes, and here none are read"
        raise ConfigError(msg)
    if public_keys is not None or public:
        if not public or secrets is not None or (public_keys is None and record.published is None):
            kind = "public_keys=" if public else "secrets"
            msg = f"{record.name} signs by {record.algorithm}: give {kind}, and nothing else"
            raise ConfigError(msg)
        from hooklatch import key_sources  # noqa: PLC0415 - only these senders need pycryptodome

        return key_sources.keys(record, public_keys, options.get("fetch"))
    if secrets is PENDING:
        notes.append("PENDING: every delivery is answered with 503 until the route has a secret")
        return Ring(os.urandom(32), record.key, record.key_encoding)
    if secrets is None:
        msg = f"{record.name}: chain() needs the secret that you share with the sender"
        raise ConfigError(msg)
    if callable(secrets):
        return Source(secrets, record.key, record.key_encoding)
    ring = _ring(record, secrets)
    if any(len(decode_secret(secret.value, record.key_encoding)) < SHORT for secret, _ in ring.entries):
        notes.append(f"a secret is shorter than {SHORT} bytes and could be guessed")
    return ring


def _ring(record: Provider, secrets: Secrets) -> Ring:
    if not isinstance(secrets, str | bytes | Secret | list | tuple):
        from hooklatch.secret_files import LiveRing, LiveSecrets  # noqa: PLC0415 - few routes have secrets in files

        if isinstance(secrets, LiveSecrets):
            return LiveRing(secrets, record.key, record.key_encoding)
    return Ring(secrets, record.key, record.key_encoding)


class _Sample(NamedTuple):
    """What all keys of one algorithm have in common."""

    size: int
    pace: int
    costly: bool


def _sample(record: Provider) -> _Sample:
    if record.algorithm in PUBLIC_ALGORITHMS:
        return _Sample(SIGNATURE_SIZES.get(record.algorithm, 0), FAST_PACE, costly=True)
    key = record.key(b"\1" * 32)
    return _Sample(key.size, key.pace, key.costly)


def _max_body(record: Provider, pace: int, options: Options, notes: list[str]) -> int:
    slow = pace < FAST_PACE
    usual = record.max_body or (PARSED_BODY if record.opens_body else BODY)
    if slow:
        usual = min(usual, PURE_PYTHON_CAP)
    max_body = options.get("max_body", usual)
    if isinstance(max_body, bool) or not isinstance(max_body, int) or max_body < 1:
        msg = f"{record.name}: max_body={max_body!r} must be a whole number of bytes over 0"
        raise ConfigError(msg)
    if slow and max_body > PURE_PYTHON_CAP:
        msg = (
            f"{record.name}: max_body={max_body}: RIPEMD-128 in pure Python takes at most {PURE_PYTHON_CAP} bytes; "
            "install hooklatch where there is a C compiler, or from a wheel that has its extension"
        )
        raise ConfigError(msg)
    if slow:
        notes.append(f"RIPEMD-128 runs in pure Python, not in C: bodies over {max_body} bytes are refused")
    return max_body


def _tolerance(record: Provider, options: Options, notes: list[str]) -> tuple[float, float] | None:
    """Return max_age and max_skew, or None where the age is not checked."""
    if record.timestamp is None:
        for setting in ("max_age", "max_skew"):
            if options.get(setting) is not None:
                msg = f"{record.name}: {setting} needs a signed timestamp, and this sender sends none"
                raise ConfigError(msg)
        return None
    max_age = options.get("max_age", record.max_age)
    if max_age is None:
        if "max_skew" in options:
            msg = f"{record.name}: max_skew without max_age checks nothing; leave it out, or set max_age"
            raise ConfigError(msg)
        notes.append("max_age=None: the age is not checked, a captured delivery stays good until it is forgotten")
        return None
    max_skew = options.get("max_skew", record.max_skew)
    positive(record.name, max_age=max_age, max_skew=max_skew)
    if max_age > LONGEST_AGE or max_skew > LONGEST_AGE:
        msg = f"{record.name}: max_age and max_skew are seconds, at most {LONGEST_AGE:g}; max_age=None: no check"
        raise ConfigError(msg)
    return max_age, max_skew


def _duplicate_key(record: Provider, options: Options) -> DuplicateKey:
    usual: DuplicateKey = "id" if record.id else "body" if record.reusable or record.coverage == "caller" else "signed"
    kind = options.get("duplicate_key", usual)
    if kind not in {"id", "signed", "body"}:
        msg = f"{record.name}: duplicate_key={kind!r} is unknown; say 'id', 'signed' or 'body'"
        raise ConfigError(msg)
    if kind == "id" and record.id is None:
        msg = f"{record.name}: duplicate_key='id' needs a signed event id, and this sender sends none"
        raise ConfigError(msg)
    if kind == "body" and record.coverage == "fields" and not record.reusable:
        msg = f"{record.name}: duplicate_key='body' would let an edited body replay a signature that is good only once"
        raise ConfigError(msg)
    return kind


def _public_url(record: Provider, options: Options) -> str:
    url = options.get("public_url", "")
    if record.signs_url and not url:
        msg = f"{record.name}: this sender signs the URL it was given; set public_url='https://...', without the query"
        raise ConfigError(msg)
    if url and (not _PUBLIC_URL.fullmatch(url) or {"?", "#"} & set(url)):
        msg = f"{record.name}: public_url={url!r} must be an absolute http(s) URL without query or fragment"
        raise ConfigError(msg)
    return url


def _expected(record: Provider, options: Options) -> Mapping[str, str]:
    """Return the values of ``expect=``; raise ``ConfigError`` unless they are those that the record names."""
    expect = options.get("expect", {})
    if not isinstance(expect, Mapping) or not all(isinstance(value, str) and value for value in expect.values()):
        msg = f"{record.name}: expect={expect!r} must be a dict of texts"
        raise ConfigError(msg)
    if expect.keys() != set(record.expects):
        wanted = ", ".join(record.expects) or "nothing"
        msg = (
            f"{record.name}: expect= must name what this sender's proof is bound to: {wanted}; it names {list(expect)}"
        )
        raise ConfigError(msg)
    return dict(expect)


def _signature(record: Provider, offers: Offers, url: str, expected: Mapping[str, str]) -> Verifier:
    if record.scheme:
        from hooklatch.schemes import Setting, scheme  # noqa: PLC0415 - most records are a template

        return verifiers.Statements(scheme(record.scheme), Setting(record, url, expected), offers)
    return verifiers.Signature(
        record.places,
        record.template,
        offers,
        every=record.every,
        neighbours=record.neighbours,
        public_url=url,
        expect=expected,
        kinds=record.kinds,
    )


def _event_id(record: Provider) -> verifiers.EventId | None:
    if record.id is None or isinstance(record.id, Claim):
        return None
    return verifiers.EventId(record.id, barred="" if record.scheme else record.template.barred.get("id", ""))


def _timestamp(record: Provider, tolerance: tuple[float, float] | None) -> verifiers.Timestamp | None:
    if record.timestamp is None or isinstance(record.timestamp, Claim):
        return None
    plain = not record.scheme
    needed = tolerance is not None or (plain and "timestamp" in record.template.names)
    tight = plain and record.template.tight
    return verifiers.Timestamp(record.timestamp, record.timestamp_unit, needed=needed, tight=tight)


def _user_agent(
    record: Provider,
    options: Options,
    keys: Keys,
    tolerance: tuple[float, float] | None,
    notes: list[str],
) -> list[Verifier]:
    tests = Agents(options.get("test_agents", ()), "test_agents")
    others = options.get("other_agents", "accept")
    rule = verifiers.UserAgent(Agents(record.agents, "agents"), tests, options.get("on_test", "acknowledge"), others)
    keyed = isinstance(keys, Source) or (isinstance(keys, Ring) and keys.tests)
    if tests and tolerance is None and not (isinstance(keys, Ring) and keys.tests):
        notes.append(
            "test_agents without a signed time: whoever captures a test delivery can send it as a live one; "
            "give test traffic a Secret(test=True) of its own"
        )
    return [rule] if tests or keyed or others == "reject" else []


class _Memory(NamedTuple):
    ttl: float
    protect: float


def _memory(record: Provider, options: Options, tolerance: tuple[float, float] | None) -> _Memory:
    """Return how long a delivery is remembered, and for how long forgetting it would do harm (seconds)."""
    window = sum(tolerance) if tolerance else 0.0
    if record.every is not None:
        window = max(window, (2 * record.neighbours + 1) * record.every)
    span = max(window, record.retries)
    # Without a signed time the memory is the only defence against a replay.
    usual = span if window else max(span, DAY if record.repeats == "possible" else MONTH)
    ttl = options.get("duplicate_ttl", usual)
    positive(record.name, duplicate_ttl=ttl)
    if ttl < window:
        msg = (
            f"{record.name}: duplicate_ttl={ttl:g} is shorter than a signature stays good ({window:g} seconds); "
            "a replay would be forgotten before it expires"
        )
        raise ConfigError(msg)
    return _Memory(ttl, min(ttl, span if window else max(span, DAY)))
