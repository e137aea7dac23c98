"""What is built is what was tested: the wheel, in an empty environment, imports, verifies and brings its data."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

PROGRAM = """
from importlib.metadata import version
import hooklatch
from hooklatch.providers import MOMENTO, names
from hooklatch.wsgi import WebhookMiddleware
delivery = MOMENTO.sign({"text": "hello"}, secret="a secret of sixteen")
chain = MOMENTO.chain("a secret of sixteen")
assert chain.verify(headers=delivery.headers, body=delivery.body).provider == "momento"
assert "speckle" in names()
print(version("hooklatch"))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(target), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    (built,) = target.glob("*.whl")
    return built


def test_the_wheel_holds_the_whole_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tracked = {
        str(path.relative_to(ROOT / "src"))
        for path in (ROOT / "src" / "hooklatch").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix not in {".pyc", ".so"}
    }
    assert tracked <= set(names)
    assert "hooklatch/py.typed" in names
    assert all(name.startswith(("hooklatch/", "hooklatch-")) for name in names)


def test_the_wheel_works_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "empty", with_pip=True)
    python = tmp_path / "empty" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", str(wheel)], check=True, capture_output=True, timeout=240)
    done = subprocess.run([python, "-c", PROGRAM], check=True, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.strip() == "0.1.0"
    listed = subprocess.run(
        [python.with_name("hooklatch"), "providers"], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    assert "mechanic" in listed.stdout
