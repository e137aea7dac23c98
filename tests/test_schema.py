"""hooklatch.schema.json: what an editor knows of hooklatch.toml is what the package knows."""

from __future__ import annotations

import importlib.util
import json
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hooklatch import config_values
from hooklatch.config import examine

ROOT = Path(__file__).parent.parent

VALID = """
store = "env:STORE"
protect = ["/hooks/*"]
fail_open = "unsafe"
limit_failures = { limit = "20/minute" }
trusted_proxies = "none"

[routes."/hooks/github"]
provider = "github"
secrets = ["env:NEW", { ref = "file:/run/secrets/old", test = true, name = "old" }]
max_age = "none"
cors = ["https://shop.example"]

[routes."/hooks/mechanic"]
provider = "mechanic"
secrets = "call:shop.secrets:find"
over = { fields = ["id"], signature = "id_signature", every = 60 }

[routes."/hooks/acme"]
provider = "acme"
secrets = "env:ACME"
facts = { encoding = "base64", max_skew = 5.5 }

[providers.acme]
signature = [{ header = ["x-a", "x-b"], part = "v1" }, { query = "s" }]
unsigned = { kind = { header = "x-kind" } }
"""

INVALID: dict[str, dict[str, Any]] = {
    "no routes": {"debug": True},
    "a setting that is none": {"colour": 1, "routes": {"/a": {"provider": "x", "secrets": "env:A"}}},
    "an option that is none": {"routes": {"/a": {"provider": "github", "secrets": "env:A", "max_ages": 1}}},
    "a literal secret": {"routes": {"/a": {"provider": "github", "secrets": "whsec_abc"}}},
    "a literal secret in a list": {"routes": {"/a": {"provider": "github", "secrets": ["env:A", "s3cret"]}}},
    "no secret": {"routes": {"/a": {"provider": "github"}}},
    "no provider": {"routes": {"/a": {"secrets": "env:A"}}},
    "a type that is none": {"routes": {"/a": {"provider": "github", "secrets": "env:A", "lease": "1"}}},
    "a truth for a number": {"routes": {"/a": {"provider": "github", "secrets": "env:A", "max_body": True}}},
    "a choice that is none": {"routes": {"/a": {"provider": "github", "secrets": "env:A", "on_duplicate": "x"}}},
    "a path that is none": {"routes": {"hooks": {"provider": "github", "secrets": "env:A"}}},
    "a store that is none": {"store": "mysql://h", "routes": {"/a": {"provider": "github", "secrets": "env:A"}}},
    "a sender without signature": {
        "routes": {"/a": {"provider": "own", "secrets": "env:A"}},
        "providers": {"own": {"signed": "{body}"}},
    },
    "a place that is none": {
        "routes": {"/a": {"provider": "own", "secrets": "env:A"}},
        "providers": {"own": {"signature": {"cookie": "x"}}},
    },
}


@pytest.fixture(scope="module")
def committed() -> str:
    return (resources.files("hooklatch") / "hooklatch.schema.json").read_text()


@pytest.fixture(scope="module")
def validator(committed: str) -> Draft202012Validator:
    schema = json.loads(committed)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_the_committed_schema_is_the_one_the_tool_writes(committed: str) -> None:
    spec = importlib.util.spec_from_file_location("generate_schema", ROOT / "tools" / "generate_schema.py")
    assert spec
    assert spec.loader
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert committed == tool.written(), "run: python tools/generate_schema.py"


def test_the_schema_and_the_loader_accept_what_is_valid(validator: Draft202012Validator) -> None:
    data = tomllib.loads(VALID)
    assert [error.message for error in validator.iter_errors(data)] == []
    data["routes"]["/hooks/mechanic"]["secrets"] = "env:MECHANIC"
    assert examine(data, secrets=False).problems == []


@pytest.mark.parametrize("data", INVALID.values(), ids=INVALID)
def test_the_schema_and_the_loader_refuse_what_is_invalid(
    data: dict[str, Any], validator: Draft202012Validator
) -> None:
    assert list(validator.iter_errors(data))
    assert examine(data, secrets=False).problems


def test_every_name_has_a_description_and_a_type(committed: str) -> None:
    schema = json.loads(committed)
    route = schema["properties"]["routes"]["additionalProperties"]["properties"]
    assert config_values.options().keys() < route.keys()
    assert config_values.settings().keys() < schema["properties"].keys()
    for told in (route, schema["properties"]):
        assert all("description" in one for one in told.values())
