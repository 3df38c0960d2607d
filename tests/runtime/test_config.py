"""Options: the command line over the file over the defaults, and errors that say where."""

from pathlib import Path

import pytest

from recontool.alerts.rules import BUILT_IN
from recontool.model.errors import ReconError, UsageError
from recontool.model.settings import for_role
from recontool.runtime.config import read


def write(tmp_path, text):
    path = tmp_path / "fleet.yaml"
    path.write_text(text)
    return path


def test_defaults_fill_what_nobody_gave():
    options = read("worker", {"worker_id": "w-1"})
    assert set(options.tunables) == {setting.name for setting in for_role("worker")}
    assert options.seconds("heartbeat_timeout") == 15.0
    assert options.log_file == Path("recontool-data/logs/w-1.log")
    assert read("coordinator", {}).log_file == Path("recontool-data/logs/coordinator.log")


def test_the_timeout_follows_the_interval_unless_given():
    assert read("coordinator", {"heartbeat_interval": 0.5}).seconds("heartbeat_timeout") == 1.5
    assert read("coordinator", {"heartbeat_interval": 0.5, "heartbeat_timeout": 9.0}).seconds("heartbeat_timeout") == 9


def test_one_file_serves_both_roles_and_the_command_line_wins(tmp_path):
    path = write(
        tmp_path,
        "port: 9000\ncoordinator-port: 9000\nheartbeat_interval: 2\ndata_dir: /tmp/x\ndemo_tasks: 4\n"
        "keys: {operator: op, worker: wk}\n",
    )
    coordinator = read("coordinator", {"port": 9001, "heartbeat_interval": None}, path)
    assert (coordinator.count("port"), coordinator.seconds("heartbeat_interval")) == (9001, 2.0)
    assert (coordinator.demo_tasks, dict(coordinator.keys)) == (4, {"operator": "op", "worker": "wk"})
    worker = read("worker", {"worker_id": "w"}, path)
    assert (worker.count("coordinator_port"), worker.api_key) == (9000, "wk")
    assert worker.data_dir == Path("/tmp/x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("heartbeat_intervall: 2\n", r"fleet\.yaml:1:1: unknown option 'heartbeat_intervall'\n.*'heartbeat_interval'"),
        ("port: 1\n\nqqq: 2\n", r"fleet\.yaml:3:1: unknown option 'qqq'"),
        ("config: x\n", r"fleet\.yaml:1:1: unknown option"),
        ("port: 1\ncompression_level: 12\n", r"fleet\.yaml:2:1: compression_level is 12"),
        ("heartbeat_interval: fast\n", r"fleet\.yaml:1:1: heartbeat_interval is 'fast', expected float"),
        ("demo_tasks: many\n", r"fleet\.yaml:1:1: demo_tasks is 'many', expected int"),
        ("- port\n", r"fleet\.yaml:1: expected options"),
        ("port: [1\n", r"fleet\.yaml:2:1: is no YAML"),
        ("port: 1\nport: 2\n", r"fleet\.yaml:2:1: is no YAML.*duplicate"),
        ("keys: secret\n", r"keys: holds"),
        ("keys: {worker: 5}\n", r"every key is a text"),
    ],
)
def test_a_file_that_is_wrong_says_where(tmp_path, text, message):
    with pytest.raises(UsageError, match=f"(?s){message}"):
        read("coordinator", {}, write(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"no\.yaml: cannot be read"):
        read("coordinator", {}, tmp_path / "no.yaml")


def test_an_empty_file_changes_nothing(tmp_path):
    assert read("coordinator", {}, write(tmp_path, "")).count("port") == 8765


@pytest.mark.parametrize("worker_id", [None, "", ".", "..", "../x", "a b", "coordinator", "x" * 129, "a/b"])
def test_a_worker_id_must_fit_a_log_and_a_folder(worker_id):
    with pytest.raises(UsageError, match="worker"):
        read("worker", {"worker_id": worker_id})


def test_an_option_out_of_range_is_refused():
    with pytest.raises(UsageError, match=r"--compression-level: compression_level is 11"):
        read("worker", {"worker_id": "w", "compression_level": 11})


def test_secrets_stay_out_of_the_representation():
    options = read("worker", {"worker_id": "w", "api_key": "hidden"})
    assert "hidden" not in repr(options)
    assert "hidden" not in str(options.__rich_repr__())


RULE = 'alerts:\n  group:\n    slow: {condition: "avg_message_latency_ms > 50", notification: [dashboard, %s]}\n'
HOOK = "notifications:\n  channels:\n    hook: {kind: webhook, url: http://127.0.0.1:1/}\n"


def test_the_built_in_rules_go_to_every_channel_there_is(tmp_path):
    assert read("coordinator", {}).rules == BUILT_IN
    rules = read("coordinator", {}, write(tmp_path, HOOK)).rules
    assert [rule.name for rule in rules] == [rule.name for rule in BUILT_IN]
    assert {rule.notification for rule in rules} == {("dashboard", "hook")}


def test_own_rules_stand_in_place_of_the_built_in_ones(tmp_path):
    options = read("coordinator", {}, write(tmp_path, f"port: 0\n{RULE % 'hook'}{HOOK}"))
    assert [(rule.name, rule.notification) for rule in options.rules] == [("slow", ("dashboard", "hook"))]
    assert options.warnings == []


def test_a_channel_nobody_configured_is_said_and_a_misspelt_one_refused(tmp_path):
    options = read("coordinator", {}, write(tmp_path, RULE % "email"))
    assert [warning.partition(": ")[2] for warning in options.warnings] == [
        "rule slow notifies email, but no such channel is configured"
    ]
    with pytest.raises(ReconError, match=r"(?s)fleet\.yaml:3:\d+: unknown channel 'hok'.*did you mean hook"):
        read("coordinator", {}, write(tmp_path, (RULE % "hok") + HOOK))


def test_a_rule_that_is_wrong_says_where(tmp_path):
    with pytest.raises(ReconError, match=r"(?s)fleet\.yaml:3:\d+: "):
        read("coordinator", {}, write(tmp_path, "alerts:\n  group:\n    slow: {condition: 'latency >'}\n"))
    # A worker has no use for rules and does not trip over them.
    assert read("worker", {"worker_id": "w"}, write(tmp_path, "alerts: 7\n")).rules == BUILT_IN
