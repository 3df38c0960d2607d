"""The core under a compiler's own watch: nothing it does may be undefined, however it is read."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from recontool.kernel.library import library

ROOT = Path(__file__).parents[2]
FLAGS = ("-std=gnu11", "-O1", "-g", "-pthread", "-fPIC", "-shared", "-fsanitize=undefined", "-fno-sanitize-recover=all")


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A copy of the package whose core ends the process where C says nothing about what happens next."""
    compiler = shutil.which("gcc")
    if library() is None or compiler is None:
        pytest.skip("no compiled core here, or no compiler to build another")
    home = tmp_path_factory.mktemp("watched")
    shutil.copytree(ROOT / "recontool", home / "recontool", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    kernel = home / "recontool" / "kernel"
    sources = [str(path) for path in sorted((kernel / "src").glob("*.c"))]
    subprocess.run([compiler, *FLAGS, *sources, "-o", str(kernel / "_core.so")], check=True)

    def run(*arguments):
        environment = {**os.environ, "PYTHONPATH": str(home), "PYTHONSAFEPATH": "1"}
        command = [sys.executable, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=home, env=environment, check=False)
        return done.returncode, done.stdout, "\n".join(re.findall(".*runtime error.*", done.stderr))

    assert run("-c", "import recontool.kernel.library as home; print(home.library())")[1].startswith(f"<CDLL '{home}")
    return run


def test_nothing_is_undefined_near_the_grammar(watched):
    status, told, undefined = watched(str(ROOT / "tests" / "kernel" / "fuzz.py"), "--cases", "400", "--seed", "1")
    assert undefined == ""
    assert (status, told.strip()) == (0, "400 cases from 1: 0 differences")


def test_nothing_is_undefined_in_threads(watched):
    code = """
import os, sys
from recontool.analysis.compiled import new_fleet, vocabulary
from recontool.kernel.fleet import Parser
with open(sys.argv[1], "rb") as log:
    for threads in (1, 2, 8):
        fleet, parser = new_fleet(), Parser(vocabulary())
        fleet.begin(parser, 0, 0)
        fleet.scan(parser, log.fileno(), 0, os.fstat(log.fileno()).st_size, threads=threads, range_bytes=300)
        print(fleet.count("workers"))
"""
    log = ROOT / "sample_logs" / "worker-1.log"
    assert watched("-c", code, str(log)) == (0, "1\n1\n1\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("analyze", str(ROOT / "sample_logs"), "--no-cache", "--format", "json"),
        ("analyze", str(ROOT / "sample_logs" / "untagged"), "--no-cache"),
        ("events", str(ROOT / "sample_logs" / "worker-1.log"), "--format", "csv"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_watched_core_says_what_the_shipped_one_says(watched, arguments):
    shipped = [sys.executable, "-m", "recontool", *arguments]
    done = subprocess.run(shipped, capture_output=True, text=True, check=True)
    assert watched("-m", "recontool", *arguments) == (0, done.stdout, "")
