"""What no committed file may hold: addresses of package registries, paths of one machine, unpinned versions."""

import re
import subprocess
import tomllib
from itertools import chain

import pytest

# Put together here, so that this file does not hold what it looks for.
REGISTRIES = ["index-" + "url", "python" + "hosted", "pypi" + ".org", "find-" + "links", "/sim" + "ple/"]
PLACES = ["/w" + "ork/", "/r" + "oot/", "/h" + "ome/", "/o" + "pt/"]
TEXT_LIMIT = 3_000_000
PIN = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+")


@pytest.fixture(scope="module")
def committed(root):
    listed = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout, so there is no list of committed files")
    return [root / name for name in listed.stdout.splitlines() if (root / name).is_file()]


def test_no_file_names_a_registry_or_a_place_of_one_machine(committed, root):
    found = []
    for path in committed:
        text = path.read_bytes()[:TEXT_LIMIT].decode("utf-8", "replace")
        found += [f"{path.relative_to(root)}: {needle}" for needle in (*REGISTRIES, *PLACES) if needle in text]
    assert found == []


def test_the_core_is_built_from_all_its_sources_and_knows_its_headers(root):
    (core,) = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["ext-modules"]
    folder = root / "recontool" / "kernel" / "src"
    assert [root / name for name in core["sources"]] == sorted(folder.glob("*.c"))
    assert [root / name for name in core["depends"]] == sorted(folder.glob("*.h"))


def test_no_lock_file_is_committed(committed):
    assert {path.name for path in committed}.isdisjoint({"uv.lock", "poetry.lock", "Pipfile.lock"})


def test_constraints_are_exact_and_hold_nothing_else(root):
    lines = (root / "constraints.txt").read_text("utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#") and not PIN.fullmatch(line)] == []


def test_every_declared_dependency_is_pinned(root):
    names = (line.partition("==")[0] for line in (root / "constraints.txt").read_text("utf-8").splitlines())
    pinned = {normal(name) for name in names}
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    declared = chain(project["dependencies"], *project["optional-dependencies"].values())
    required = {normal(re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0]) for line in declared}
    assert required - pinned - {"recontool"} == set()


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()
