"""hooklatch.config: a file becomes a door's settings, and every mistake in it is told with line and cure."""

from __future__ import annotations

import logging
import re
import sys
import types
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hooklatch import CORS, ConfigError, Provider
from hooklatch.config import examine, load
from hooklatch.providers import GITHUB, MECHANIC, STRIPE
from hooklatch.ratelimit import FailureLimit
from hooklatch.stores import SCHEMES, open_store
from hooklatch.toml_lines import key_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from hooklatch.types import Head
    from worlds import Endpoint

SECRET = "one secret, long enough"
OLD = "an older one, as long as that"
GITHUB_ROUTE = '[routes."/hooks/github"]\nprovider = "github"\nsecrets = "env:GITHUB_SECRET"\n'


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_SECRET", SECRET)
    monkeypatch.setenv("OLD_SECRET", OLD)
    monkeypatch.delenv("ABSENT", raising=False)


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "hooklatch.toml"
        path.write_text(text)
        return path

    return write


def problems(source: Any) -> str:
    with pytest.raises(ConfigError) as raised:
        load(source)
    return str(raised.value)


# What a file says


def test_a_file_is_what_a_door_takes(written: Callable[[str], Path], endpoint: Callable[..., Endpoint]) -> None:
    settings = load(written(f'protect = ["/hooks/*"]\nspool_threshold = 10\n{GITHUB_ROUTE}max_body = 100\n'))
    made = endpoint(**settings)
    delivery = GITHUB.sign(b"{}", secret=SECRET, url="/hooks/github")
    assert made.post(delivery).status == 200
    assert made.post(delivery._replace(url="/hooks/other")).status == 401
    assert made.post(GITHUB.sign(b"x" * 101, secret=SECRET, url="/hooks/github")).status == 413


def test_a_mapping_says_the_same_as_a_file() -> None:
    route = {"provider": "github", "secrets": ["env:GITHUB_SECRET", "env:OLD_SECRET"], "on_duplicate": "reject"}
    chain = load({"routes": {"/hooks/github": route}})["routes"]["/hooks/github"]
    assert (chain.provider, chain.on_duplicate) == ("github", "reject")
    for secret in (SECRET, OLD):
        delivery = GITHUB.sign(b"{}", secret=secret)
        assert chain.verify(headers=delivery.headers, body=delivery.body).key_index == (secret == OLD)


def test_every_option_and_setting_keeps_its_type(written: Callable[[str], Path]) -> None:
    found = examine(
        written("""
store = "memory://"
fail_open = "unsafe"
trusted_proxies = 1
limit_failures = { limit = "20/minute", storage = "memory://" }
observer = "call:builtins:print"
debug = true

[routes."/hooks/stripe"]
provider = "stripe"
secrets = { ref = "env:GITHUB_SECRET", not_after = 2999-12-01T00:00:00Z, name = "shop", test = false }
max_age = "none"
lease = 7
methods = ["POST", "PUT"]
cors = { origins = ["https://shop.example"], credentials = true }
test_agents = ["Test/*"]
on_test = "mark"
extra = ["call:hooklatch.verifiers:Overrides"]
name = "stripe-live"
""")
    )
    assert not found.problems
    settings = found.settings
    assert (settings["fail_open"], settings["trusted_proxies"], settings["debug"]) == ("unsafe", 1, True)
    assert isinstance(settings["limit_failures"], FailureLimit)
    assert settings["observer"] is print
    chain = settings["routes"]["/hooks/stripe"]
    assert (chain.lease, chain.name, chain.timed) == (7, "stripe-live", False)
    assert chain.cors == CORS(("https://shop.example",), credentials=True)
    options = found.options["/hooks/stripe"]
    assert options["max_age"] is None
    assert options["methods"] == ("POST", "PUT")


def test_facts_change_a_record_and_over_names_signed_fields() -> None:
    routes = {
        "/a": {"provider": "stripe", "secrets": "env:OLD_SECRET", "facts": {"max_age": 10, "retries": 5}},
        "/b": {
            "provider": "mechanic",
            "secrets": "env:GITHUB_SECRET",
            "over": {"fields": ["customer_id"], "signature": "customer_id_signature", "every": 60},
        },
    }
    found = load({"routes": routes})["routes"]
    stripe = STRIPE.sign(b"{}", secret=OLD, at=100)
    chain = found["/a"]
    assert chain.verify(headers=stripe.headers, body=stripe.body, now=110).provider == "stripe"
    with pytest.raises(Exception, match="timestamp_expired"):
        chain.verify(headers=stripe.headers, body=stripe.body, now=111)
    mechanic = MECHANIC.over("customer_id", signature="customer_id_signature", every=60)
    delivery = mechanic.sign({"customer_id": "7"}, secret=SECRET)
    assert found["/b"].verify(headers=delivery.headers, body=delivery.body).fields["customer_id"] == "7"


def test_a_sender_of_ones_own_is_described_in_the_file(written: Callable[[str], Path]) -> None:
    settings = load(
        written("""
[routes."/acme"]
provider = "acme"
secrets = "env:GITHUB_SECRET"

[providers.acme]
signature = { header = "x-acme-signature", part = "v1" }
timestamp = { header = "x-acme-signature", part = "t" }
id = { header = ["x-acme-id", "acme-id"] }
signed = "{id}.{timestamp}.{body}"
max_age = 300
unsigned = { kind = { query = "kind" } }
""")
    )
    from hooklatch import Header

    acme = Provider(
        name="acme",
        signature=Header("x-acme-signature", part="v1"),
        timestamp=Header("x-acme-signature", part="t"),
        id=Header("x-acme-id"),
        signed="{id}.{timestamp}.{body}",
        max_age=300,
    )
    delivery = acme.sign(b"{}", secret=SECRET, id="evt_1")
    webhook = settings["routes"]["/acme"].verify(headers=delivery.headers, body=b"{}", url="/acme?kind=push")
    assert (webhook.id, webhook.unsigned) == ("evt_1", {"kind": "push"})


def test_places_in_the_body_are_written_as_tables() -> None:
    own = {
        "signature": [{"json": "meta.signature"}, {"form": "signature"}],
        "signed": "{field.id}",
        "timestamp": {"json": ["id"]},
    }
    route = {"provider": "own", "secrets": "env:GITHUB_SECRET"}
    chain = load({"routes": {"/own": route}, "providers": {"own": own}})["routes"]["/own"]
    assert chain.coverage == "fields"


def found_secret(head: Head) -> str:
    return SECRET if head.path == "/hooks/github" else OLD


def test_a_function_finds_the_secrets(monkeypatch: pytest.MonkeyPatch, endpoint: Callable[..., Endpoint]) -> None:
    module = types.ModuleType("shop_secrets")
    module.find = found_secret  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "shop_secrets", module)
    route = {"provider": "github", "secrets": "call:shop_secrets:find"}
    made = endpoint(**load({"routes": {"/hooks/github": route}}))
    assert made.post(GITHUB.sign(b"1", secret=SECRET, url="/hooks/github")).status == 200
    assert made.post(GITHUB.sign(b"2", secret=OLD, url="/hooks/github")).status == 401


def test_relative_files_are_looked_for_beside_the_one_that_names_them(
    tmp_path: Path, written: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "github.txt").write_text(f"{SECRET}\n")
    monkeypatch.chdir("/")
    chain = load(written(GITHUB_ROUTE.replace("env:GITHUB_SECRET", "file:github.txt")))["routes"]["/hooks/github"]
    delivery = GITHUB.sign(b"{}", secret=SECRET)
    assert chain.verify(headers=delivery.headers, body=b"{}").provider == "github"


def test_the_store_may_be_referred_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STORE", "redis://:password@localhost")
    route = {"provider": "github", "secrets": "env:GITHUB_SECRET"}
    assert load({"store": "env:STORE", "routes": {"/a": route}})["store"] == "redis://:password@localhost"
    (tmp_path / "store").write_text("memory://\n")
    assert load({"store": f"file:{tmp_path / 'store'}", "routes": {"/a": route}})["store"] == "memory://"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_that_passes_names_a_store(scheme: str, tmp_path: Path) -> None:
    url = {"memory": "memory://", "sqlite": f"sqlite:///{tmp_path}/a.db"}.get(scheme, f"{scheme}://localhost/0")
    store = open_store(url)
    assert callable(store.claim)
    close = getattr(store, "close", None)
    if close is not None:
        close()


# What stops the start

MISTAKES = {
    "a key that is none": (f"portect = []\n{GITHUB_ROUTE}", 1, "portect", "did you mean protect?"),
    "an option that is none": (f"{GITHUB_ROUTE}max_ages = 3\n", 4, "max_ages", "did you mean max_age?"),
    "a type that is none": (f'{GITHUB_ROUTE}lease = "long"\n', 4, "lease", "must be a number"),
    "a truth for a number": (f"{GITHUB_ROUTE}max_body = true\n", 4, "max_body", "must be a whole number"),
    "a choice that is none": (
        f'{GITHUB_ROUTE}on_duplicate = "ignore"\n',
        4,
        "on_duplicate",
        'must be "acknowledge" or "reject" or "run"',
    ),
    "a text for a list": (f'{GITHUB_ROUTE}methods = "POST"\n', 4, "methods", "must be a list of text"),
    "a figure that is none": (f"{GITHUB_ROUTE}\nlease = -1\n", 1, '"/hooks/github"', "lease=-1 must be"),
    "no routes": ("debug = true\n", 1, "routes", "add [routes."),
    "no provider": ('[routes."/a"]\nsecrets = "env:GITHUB_SECRET"\n', 1, "provider", "names no sender"),
    "a provider that is none": (GITHUB_ROUTE.replace('"github"', '"gihtub"'), 2, "provider", "did you mean github?"),
    "no secret": ('[routes."/a"]\nprovider = "github"\n', 1, "routes", 'add secrets = ["env:NAME"]'),
    "an empty list": ('[routes."/a"]\nprovider = "github"\nsecrets = []\n', 3, "secrets", "list is empty"),
    "a secret that is missing": (
        '[routes."/a"]\nprovider = "github"\nsecrets = [\n  "env:ABSENT",\n]\n',
        3,
        "secrets",
        "env:ABSENT is not set; set ABSENT",
    ),
    "a file that is missing": (
        GITHUB_ROUTE.replace("env:GITHUB_SECRET", "file:/nowhere/x"),
        3,
        "secrets",
        "/nowhere/x cannot be read",
    ),
    "a function that is missing": (
        GITHUB_ROUTE.replace("env:GITHUB_SECRET", "call:nowhere:find"),
        3,
        "secrets",
        "is not there",
    ),
    "a secret's time without offset": (
        '[routes."/a"]\nprovider = "github"\nsecrets = { ref = "env:OLD_SECRET", not_after = 2026-12-01T00:00:00 }\n',
        3,
        "secrets",
        "must be an aware datetime",
    ),
    "a fact that is none": (f"{GITHUB_ROUTE}facts = {{ algorithms = 1 }}\n", 4, "facts.algorithms", "algorithm?"),
    "a sender of the catalogue again": (
        f'{GITHUB_ROUTE}[providers.github]\nsignature = {{ header = "x" }}\n',
        4,
        "providers.github",
        "the catalogue has this sender",
    ),
    "a sender that proves nothing": (
        f'{GITHUB_ROUTE}[providers.own]\nsignature = {{ header = "x" }}\nid = {{ header = "y" }}\n',
        4,
        "providers.own",
        "an unsigned id proves nothing",
    ),
    "a place that is none": (
        f'{GITHUB_ROUTE}[providers.own]\nsignature = {{ headers = "x" }}\n',
        5,
        "signature",
        "{ header = ... }",
    ),
    "a path that is none": (GITHUB_ROUTE.replace('"/hooks', '"hooks'), 1, "routes", "is no path"),
    "a password in a URL": (f'store = "redis://:p4ss@host"\n{GITHUB_ROUTE}', 1, "store", "holds a password"),
    "a store that is none": (f'store = "mysql://host"\n{GITHUB_ROUTE}', 1, "store", "it begins with memory://"),
    "a limit's password": (
        f'limit_failures = {{ limit = "1/minute", storage = "redis://:p4ss@host" }}\n{GITHUB_ROUTE}',
        1,
        "limit_failures",
        "holds a password",
    ),
    "fail_open without signed time": (f"fail_open = true\n{GITHUB_ROUTE}", 1, "fail_open", "no signed time"),
    "a spool that is none": (f"max_spool = -1\n{GITHUB_ROUTE}", 1, "max_spool", "cannot be negative"),
    "no TOML": (f"{GITHUB_ROUTE}max_age = = 3\n", 4, "not TOML", "Invalid value"),
}


@pytest.mark.parametrize(("text", "line", "key", "cure"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_file_line_key_and_cure(
    text: str, line: int, key: str, cure: str, written: Callable[[str], Path]
) -> None:
    path = written(text)
    told = problems(path)
    assert told.startswith(f"{path}:{line}: ")
    assert key in told
    assert cure in told
    assert "p4ss" not in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    "given",
    [
        "whsec_bGl0ZXJhbGx5IGE=",
        ["env:OLD_SECRET", "whsec_bGl0ZXJhbGx5IGE="],
        {"ref": "whsec_bGl0ZXJhbGx5IGE="},
        "env:whsec_bGl0ZXJhbGx5IGE=",
        {"value": "x", "ref": "env:OLD_SECRET"},
        12345678,
        None,
    ],
    ids=repr,
)
def test_a_secret_that_is_written_down_stops_the_start_and_is_not_repeated(given: object) -> None:
    told = problems({"routes": {"/a": {"provider": "github", "secrets": given}}})
    assert told.startswith('routes."/a".secrets: ')
    assert "whsec" not in told
    assert "12345678" not in told


def test_all_mistakes_are_told_at_once(written: Callable[[str], Path]) -> None:
    path = written(f'colour = 1\n{GITHUB_ROUTE}lease = "x"\nmax_body = "y"\n[routes."/b"]\nprovider = "nobody"\n')
    lines = problems(path).splitlines()
    assert [line.split(":")[1] for line in lines] == ["1", "5", "6", "8"]


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    assert "cannot be read" in problems(tmp_path / "absent.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    assert "is not UTF-8" in problems(tmp_path / "binary.toml")


def test_one_secret_under_two_recipes_is_noticed_without_the_secret() -> None:
    routes: dict[str, Any] = {
        "/a": {"provider": "speckle", "secrets": "env:ABSENT"},
        "/b": {
            "provider": "mechanic",
            "secrets": "env:ABSENT",
            "over": {"fields": ["id"], "signature": "id_signature"},
        },
    }
    assert "share a secret" in "".join(examine({"routes": routes}, secrets=False).problems)
    routes["/b"]["secrets"] = "env:ANOTHER"
    assert not examine({"routes": routes}, secrets=False).problems


@pytest.mark.parametrize("name", ["ABSENT", "EMPTY", "BLANK"])
def test_a_variable_without_a_secret_stops_the_start(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.setenv("BLANK", " \n")
    told = problems({"routes": {"/a": {"provider": "github", "secrets": f"env:{name}"}}})
    assert f"env:{name}" in told


PAGE = (Path(__file__).parent.parent / "docs" / "configuration.md").read_text()


@pytest.mark.parametrize("text", re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))
def test_the_files_on_the_page_can_be_used(text: str, written: Callable[[str], Path]) -> None:
    found = examine(written(text), secrets=False)
    assert found.problems == []
    assert list(found.settings["routes"]) == ["/hooks/github", "/hooks/stripe", "/hooks/mechanic", "/hooks/acme"]


# On which line a key stands

TOML = '''\
# routes = 1

store = "memory://"   # a comment [not.a.table]
text = """
[not.a.table]
key = 1
"""
list = [
  1, # ]
  "[no]",
]
a.b = 1
a."c.d" = { e = 1,  "f=g" = 2 }
["x=y"."z]"]
k = \'\'\'
l = 2
\'\'\'
m = 2
[[many]]
n = 1
[[many]]
o = 1
'''


def test_every_key_is_found_on_its_line() -> None:
    assert key_lines(TOML) == {
        ("store",): 3,
        ("text",): 4,
        ("list",): 8,
        ("a",): 12,
        ("a", "b"): 12,
        ("a", "c.d"): 13,
        ("a", "c.d", "e"): 13,
        ("a", "c.d", "f=g"): 13,
        ("x=y",): 14,
        ("x=y", "z]"): 14,
        ("x=y", "z]", "k"): 15,
        ("x=y", "z]", "m"): 18,
        ("many",): 19,
        ("many", "n"): 20,
        ("many", "o"): 22,
    }
    assert key_lines(TOML.replace("\n", "\r\n")) == key_lines(TOML)


def test_a_secret_with_an_end_is_over_after_it() -> None:
    secrets = [{"ref": "env:OLD_SECRET", "not_after": "2026-01-01T00:00:00+00:00"}, "env:GITHUB_SECRET"]
    chain = load({"routes": {"/a": {"provider": "github", "secrets": secrets}}})["routes"]["/a"]
    end = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    delivery = GITHUB.sign(b"{}", secret=OLD)
    assert chain.verify(headers=delivery.headers, body=b"{}", now=end - 1).key_index == 0
    with pytest.raises(Exception, match="signature_mismatch"):
        chain.verify(headers=delivery.headers, body=b"{}", now=end)


def test_loading_says_nothing_and_opens_nothing(
    written: Callable[[str], Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        settings = load(written(f'store = "sqlite:///{tmp_path}/deliveries.db"\n{GITHUB_ROUTE}'))
    assert settings["store"] == f"sqlite:///{tmp_path}/deliveries.db"
    assert not (tmp_path / "deliveries.db").exists()
    assert not caplog.records


def test_the_line_of_the_page_makes_a_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_SECRET", "a secret of sixteen")
    (tmp_path / "hooklatch.toml").write_text(
        '[routes."/hooks/github"]\nprovider = "github"\nsecrets = "env:GITHUB_SECRET"\n'
    )
    page = (Path(__file__).parent.parent / "docs" / "configuration.md").read_text()
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {"app": lambda environ, start_response: []}
    exec(compile(block, "configuration.md", "exec", dont_inherit=True), names)
    assert names["app"].routes.find("/hooks/github").pattern == "/hooks/github"
