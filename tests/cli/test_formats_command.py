"""`recontool formats`: the list, and the check of a file with its exit status."""

import json

import pytest
from typer.testing import CliRunner

from recontool.cli import command_line
from recontool.logs.format import builtin
from recontool.model.errors import UsageError

RUN = CliRunner()
MINE = """name = "mine"
title = "mine"
engine = "templates"
shapes = ['(?P<second>[-\\d]{10} [:\\d]{8}),(?P<milli>\\d{3}) (?P<level>\\w+) (?P<logger>\\w+) (?P<text>.*)']
[[template]]
logger = "a"
starts = "gone"
match = "gone"
marker = "RECONNECT"
event = "lost"
[[sample]]
line = "2026-11-24 10:15:32,123 INFO a gone"
marker = "RECONNECT"
event = "lost"
"""


def test_the_list_names_every_format():
    shown = RUN.invoke(command_line(), ["formats"])
    rows = json.loads(RUN.invoke(command_line(), ["formats", "--format", "json"]).stdout)
    assert shown.exit_code == 0
    assert [row["name"] for row in rows] == list(builtin())
    assert [line.split()[0] for line in shown.stdout.splitlines()] == list(builtin())


def test_a_good_file_is_said_to_be_one(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    shown = RUN.invoke(command_line(), ["formats", "check", str(path)])
    assert shown.exit_code == 0
    assert shown.stdout == f"{path}: format mine, 1 template, its sample parses\n"


def test_a_bad_file_is_a_usage_error_with_its_line(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINE.replace("INFO a gone", "INFO a back"))
    shown = RUN.invoke(command_line(), ["formats", "check", str(path)])
    assert isinstance(shown.exception, UsageError)
    assert shown.exception.where == f"{path}:11"
    assert shown.exception.exit_status == 2


def test_check_needs_a_file():
    assert RUN.invoke(command_line(), ["formats", "check"]).exit_code == 2
    with pytest.raises(UsageError, match="cannot be read"):
        RUN.invoke(command_line(), ["formats", "check", "missing.toml"], catch_exceptions=False)
