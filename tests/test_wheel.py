"""What is built is what was tested: the wheel, in an empty environment, imports, verifies and brings its data."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from services import absent

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


HASHES = """
from hooklatch.providers import PATCHWORKS
record = PATCHWORKS.using(algorithm="hmac-ripemd128")
delivery = record.sign(b"a" * 3000, secret="a secret of sixteen")
chain = record.chain("a secret of sixteen")
assert delivery.headers["x-hmac-hash"] == "21c850a1127ea5464d7552d02d562a9e"
assert chain.verify(headers=delivery.headers, body=delivery.body).provider == "patchworks"
print("pure Python" if any("pure Python" in note for note in chain.notes) else "C")
"""


# Whoever runs the tests from a checkout by PYTHONPATH would find hooklatch installed there already.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def build(source: Path, target: Path, *options: str, **environment: str) -> Path:
    command = [sys.executable, "-m", "build", "--outdir", str(target), *options, str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=240, env={**ENVIRONMENT, **environment})
    (built,) = target.iterdir()
    return built


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("sdist"), "--sdist")


@pytest.fixture(scope="module")
def unpacked(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Return what unpacks the sdist afresh, so that nothing built before is found."""

    def unpack() -> Path:
        target = tmp_path_factory.mktemp("source")
        with tarfile.open(sdist) as archive:
            archive.extractall(target, filter="data")
        (folder,) = target.iterdir()
        return folder

    return unpack


@pytest.fixture(scope="module")
def wheel(unpacked: Callable[[], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("cc") is None:
        absent("no C compiler: apt-get install gcc")
    return build(unpacked(), tmp_path_factory.mktemp("compiled"), "--wheel", HOOKLATCH_EXTENSION="required")


def hashed_by(wheel: Path, folder: Path) -> str:
    """Return what hashes RIPEMD-128 in *wheel*, unpacked into *folder*."""
    zipfile.ZipFile(wheel).extractall(folder)
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(folder)!r})\n{HASHES}"],
        check=True,
        capture_output=True,
        text=True,
        cwd=folder,
        env=ENVIRONMENT,
    )
    return done.stdout.strip()


def test_the_wheel_holds_the_whole_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tracked = {
        str(path.relative_to(ROOT / "src"))
        for path in (ROOT / "src" / "hooklatch").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix not in {".pyc", ".so", ".c"}
    }
    assert tracked <= set(names)
    assert "hooklatch/py.typed" in names
    assert all(name.startswith(("hooklatch/", "hooklatch-")) for name in names)


def test_the_sdist_can_be_built_with_a_compiler(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"setup.py", "src/hooklatch/_ripemd128_c.c", "src/hooklatch/_ripemd128.py"} <= names


def test_a_compiled_wheel_serves_every_python_and_hashes_in_c(wheel: Path, tmp_path: Path) -> None:
    if not sysconfig.get_config_var("Py_GIL_DISABLED"):
        assert "-cp311-abi3-" in wheel.name
        assert "hooklatch/_ripemd128_c.abi3.so" in zipfile.ZipFile(wheel).namelist()
    assert hashed_by(wheel, tmp_path) == "C"


@pytest.mark.parametrize("setting", [{"CC": "/bin/false"}, {"HOOKLATCH_EXTENSION": "none"}], ids=str)
def test_without_a_compiler_a_wheel_is_built_all_the_same_and_hashes_in_python(
    unpacked: Callable[[], Path], tmp_path: Path, setting: dict[str, str]
) -> None:
    built = build(unpacked(), tmp_path / "dist", "--wheel", **setting)
    assert not [name for name in zipfile.ZipFile(built).namelist() if name.endswith(".so")]
    assert built.name.endswith("-py3-none-any.whl") == ("CC" not in setting)
    assert hashed_by(built, tmp_path / "unpacked") == "pure Python"


def test_a_wheel_that_must_be_compiled_is_not_built_without_a_compiler(
    unpacked: Callable[[], Path], tmp_path: Path
) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        build(unpacked(), tmp_path / "dist", "--wheel", CC="/bin/false", HOOKLATCH_EXTENSION="required")


def test_the_wheel_works_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "empty", with_pip=True)
    python = tmp_path / "empty" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "-q", str(wheel)]
    subprocess.run(install, check=True, capture_output=True, timeout=240, env=ENVIRONMENT)
    done = subprocess.run(
        [python, "-c", PROGRAM], check=True, capture_output=True, text=True, cwd=tmp_path, env=ENVIRONMENT
    )
    assert done.stdout.strip() == "0.1.0"
    listed = subprocess.run(
        [python.with_name("hooklatch"), "providers"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=ENVIRONMENT,
    )
    assert "mechanic" in listed.stdout
