"""Rules about the code itself: which way imports point, what providers may hold, that names and reasons are kept."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import hooklatch
from hooklatch import errors, providers
from hooklatch.chain import Options

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "hooklatch"
WEB = {"aiohttp", "bottle", "falcon", "fastapi", "flask", "litestar", "pyramid", "quart", "sanic", "starlette"}
FRAMEWORKS = WEB | {"werkzeug", "django", "redis", "psycopg", "Crypto", "sqlite3", "limits"}


def typing_only(tree: ast.Module) -> set[int]:
    """Return the ids of the nodes that only a type checker sees."""
    return {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }


def modules_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def loaded_after(statement: str) -> set[str]:
    return {name.split(".")[0] for name in modules_after(statement)}


@pytest.mark.parametrize(
    "statement",
    [
        "import hooklatch",
        "import hooklatch.wsgi",
        "import hooklatch.asgi",
        "from hooklatch.providers import GITHUB; GITHUB.chain('a secret of sixteen')",
        "import hooklatch.cli",
        "import hooklatch.testing",
        "import hooklatch.config",
    ],
)
def test_the_core_imports_no_framework_and_no_store_client(statement: str) -> None:
    assert loaded_after(statement).isdisjoint(FRAMEWORKS)


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_framework_is_imported_only_by_the_file_that_bears_its_name(path: Path) -> None:
    if path.name == "demo_apps.py":  # an application, not a module for one
        return
    tree = ast.parse(path.read_text())
    unseen = typing_only(tree)
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if id(node) not in unseen
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    assert (imported & WEB) - {path.stem} == set()


@pytest.mark.parametrize("name", sorted(WEB))
def test_every_framework_has_a_file(name: str) -> None:
    assert (SOURCE / f"{name}.py").exists()


def test_the_synchronous_world_does_not_pay_for_anyio() -> None:
    assert "anyio" not in loaded_after("import hooklatch, hooklatch.wsgi")


def test_naming_one_sender_imports_one_file() -> None:
    loaded = modules_after("from hooklatch.providers import GITHUB")
    assert [name for name in loaded if name.startswith("hooklatch.providers.")] == ["hooklatch.providers.github"]


# What costs time to import, and that most routes have no use for.
SELDOM = {"handshakes", "jose", "key_sources", "public_keys", "schemes", "secret_files", "signing"}
SELDOM |= {f"verifiers.{rule}" for rule in ("age", "body_digest", "event_id", "handshake", "origin", "statements")}


@pytest.mark.parametrize("door", ["wsgi", "asgi"])
def test_an_ordinary_route_does_not_pay_for_what_others_use(door: str) -> None:
    chain = "from hooklatch.providers import GITHUB; chain = GITHUB.chain('a secret of sixteen')"
    loaded = modules_after(f"{chain}; from hooklatch.{door} import WebhookMiddleware")
    assert loaded.isdisjoint({f"hooklatch.{name}" for name in SELDOM})


def test_what_a_chain_has_is_loaded_before_the_first_request() -> None:
    before = modules_after("from hooklatch.providers import STRIPE; chain = STRIPE.chain('a secret of sixteen')")
    assert {"hooklatch.verifiers.age", "hooklatch.verifiers.timestamp"} <= before


def test_public_names_are_complete_and_sorted() -> None:
    assert hooklatch.__all__ == sorted(hooklatch.__all__, key=lambda name: (not name.isupper(), name))
    expected = {
        "Acknowledged",
        "Answer",
        "CORS",
        "Chain",
        "ConfigError",
        "Delivery",
        "FormField",
        "Header",
        "JSONField",
    }
    expected |= {"NotProven", "Party", "Provider", "Query", "Rejected", "Secret", "Webhook", "get_webhook"}
    assert set(hooklatch.__all__) == expected
    assert all(hasattr(hooklatch, name) for name in hooklatch.__all__)


def test_no_public_class_is_mistaken_for_a_test() -> None:
    names = re.findall(r"^class (\w+)", "\n".join(p.read_text() for p in SOURCE.rglob("*.py")), re.MULTILINE)
    assert not [name for name in names if name.startswith("Test")]


LAYERS = [
    {"errors"},
    {"body"},
    {"types"},
    {
        "digests",
        "_ripemd128",
        "_ripemd128_c",
        "documents",
        "drive",
        "fields",
        "keys",
        "public_keys",
        "private_keys",
        "key_sources",
        "jwks",
        "structured_fields",
        "message_components",
        "fetching",
        "remote_keys",
        "lines",
        "secrets",
        "secret_files",
        "toml_lines",
        "renewal",
        "settle",
        "settle_async",
        "template",
        "cors",
        "deadline",
        "observe",
        "ratelimit",
        "refusal_log",
    },
    {"stores", "verifiers", "schemes", "handshakes", "jose", "direct"},
    {"shortcut"},
    {"chain"},
    {"assemble", "signing", "provider"},
    {"providers", "verdict", "routes"},
    {"door", "lock", "settings"},
    {"extension"},
    {"wsgi_incoming", "wsgi_outgoing", "asgi_incoming", "asgi_outgoing", "wsgi", "asgi"},
    {"config_values", "references"},
    {"config"},
    {"starlette", "django_request", "django_settings", "django_streams"},
    {"aiohttp", "bottle", "django", "falcon", "fastapi", "flask", "litestar", "pyramid", "quart", "sanic"},
    {"testing", "cli", "__main__", "__init__"},
]


def _layer(module: str) -> int:
    return next(height for height, names in enumerate(LAYERS) if module in names)


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_point_one_way(path: Path) -> None:
    own = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    tree = ast.parse(path.read_text())
    unseen = typing_only(tree)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.ImportFrom)
            and node.module
            and node.module.startswith("hooklatch")
            and id(node) not in unseen
        ):
            names = [node.module.split(".")[1]] if "." in node.module else [alias.name for alias in node.names]
            for name in names:
                if name in {n for layer in LAYERS for n in layer}:
                    assert _layer(name) <= _layer(own), f"{own} imports {name}"


PROVIDER_FILES = sorted(p for p in (SOURCE / "providers").glob("*.py") if p.name != "__init__.py")


@pytest.mark.parametrize("path", PROVIDER_FILES, ids=lambda p: p.stem)
def test_a_provider_file_holds_facts_and_no_code(path: Path) -> None:
    tree = ast.parse(path.read_text())
    allowed = (ast.Import, ast.ImportFrom, ast.Assign, ast.Expr)
    assert all(isinstance(node, allowed) for node in tree.body)
    assert not [
        n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.Lambda | ast.ClassDef | ast.If | ast.For)
    ]
    assert len(path.read_text().splitlines()) <= 40


def test_every_file_of_the_catalogue_is_named_in_it() -> None:
    assert list(providers.names()) == sorted(path.stem for path in PROVIDER_FILES)


@pytest.mark.parametrize("name", providers.names())
def test_every_record_has_a_source_and_says_how_sure_it_is(name: str) -> None:
    record = providers.provider(name)
    assert record.name == name
    assert record.docs.startswith("https://")
    assert record.evidence in {"sdk", "published", "documentation", "unconfirmed"}


def test_every_reason_is_the_name_of_its_class_and_is_documented() -> None:
    answers = [c for c in vars(errors).values() if inspect.isclass(c) and issubclass(c, errors.Answer)]
    leaves = [c for c in answers if not c.__subclasses__()]
    documented = (ROOT / "docs" / "reasons.md").read_text()
    for answer in leaves:
        words = "".join(word.capitalize() for word in answer.reason.split("_"))
        assert words == answer.__name__
        assert f"`{answer.reason}`" in documented


def test_every_option_is_documented() -> None:
    documented = (ROOT / "docs" / "options.md").read_text()
    for option in Options.__annotations__:
        assert f"`{option}`" in documented


def test_no_secret_comparison_uses_equality() -> None:
    source = (SOURCE / "keys.py").read_text()
    assert "compare_digest" in source
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            assert not {"digest", "offer", "_token"} & {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
