"""Alerts of a real fleet on their way to a real mail server and a real webhook, through failures and SIGKILL."""

import re
import signal
import time

import pytest
from processes import Fleet, end, wait_for
from prometheus_client.parser import text_string_to_metric_families
from receivers import LOGIN, PASSWORD, free_port, hanging, mail_server, webhook

FAIL = {"type": "fail", "at": 1, "seconds": 0.01}
ECHO = {"type": "echo", "size": 10}
TOKEN = "t0ken-of-the-hook"
CONFIG = """\
alerts:
  trial:
    failing_tasks:
      condition: "task_success_rate < 0.5"
      severity: CRITICAL
      notification: [{names}]
      description: tasks fail
notifications:
  channels:
"""
PACE = "group_wait: 0s, group_interval: 0s"
MAIL = (
    "    mail: {{kind: email, host: localhost, port: {port}, from: alerts@example.org, to: ops@example.org,"
    " login: {login}, password: '${{SMTP_PASSWORD}}', ca_file: '{ca_file}', {pace}}}\n"
)
HOOK = "    {name}: {{kind: webhook, url: '${{{variable}}}', headers: {{X-Token: '${{HOOK_TOKEN}}'}}, {pace}}}\n"


@pytest.fixture
def fleet(tmp_path, monkeypatch):
    monkeypatch.setenv("SMTP_PASSWORD", PASSWORD)
    monkeypatch.setenv("HOOK_TOKEN", TOKEN)
    with Fleet(tmp_path / "data") as made:
        yield made


def configure(fleet, *channels):
    names = ", ".join(re.findall(r"^    ([a-z]+):", "".join(channels), re.MULTILINE))
    path = fleet.data.with_name("fleet.yaml")
    path.write_text(CONFIG.format(names=names) + "".join(channels))
    return "--config", str(path)


def settled(fleet):
    """Wait until the coordinator has looked at everything and nothing waits for delivery."""

    def quiet():
        shown = alerts(fleet)
        return shown["at"] and all(channel["waiting"] == 0 for channel in shown["channels"])

    wait_for("empty queues", quiet)


def alerts(fleet):
    status, body = fleet.http("/api/v1/alerts", fleet.key("operator"))
    assert status == 200
    return body


def no_secret_in(folder, *texts):
    for path in folder.rglob("*"):
        if path.is_file():
            found = path.read_bytes()
            assert [text for text in texts if text.encode() in found] == [], path


def test_firing_and_resolved_arrive_once_each_through_failures_and_a_kill(fleet, tmp_path, monkeypatch):
    answers = [(500, {}), (429, {"Retry-After": "1"})]
    with mail_server(tmp_path, "451 try later") as mail, webhook(*answers) as hook:
        monkeypatch.setenv("HOOK_URL", hook.url)
        options = configure(
            fleet,
            MAIL.format(port=mail.port, login=LOGIN, ca_file=mail.ca_file, pace=PACE),
            HOOK.format(name="hook", variable="HOOK_URL", pace=PACE),
        )
        coordinator = fleet.coordinator(*options)
        worker = fleet.worker("w-1")
        fleet.submit(FAIL)
        wait_for("a first try", lambda: hook.posted)
        assert end(coordinator, signal.SIGKILL) == -signal.SIGKILL
        coordinator = fleet.coordinator(*options)
        wait_for("the firing message", lambda: hook.accepted() and mail.mails)
        assert [(one["alert"], one["state"]) for one in alerts(fleet)["alerts"]] == [("failing_tasks", "firing")]
        hook.answers.append((503, {}))
        mail.answers.append("451 try later")
        fleet.submit(*[ECHO] * 3)
        wait_for("a try of the resolved message", lambda: len(hook.posted) >= 4)
        assert end(coordinator, signal.SIGKILL) == -signal.SIGKILL
        coordinator = fleet.coordinator(*options)
        wait_for("the resolved message", lambda: len(hook.accepted()) == 2 and len(mail.mails) == 2)
        settled(fleet)
        assert alerts(fleet)["alerts"] == []
        assert [end(process) for process in (worker, coordinator)] == [0, 0]
    firing, resolved = hook.accepted()
    assert [(body["status"], body["firing"], body["resolved"]) for body in (firing, resolved)] == [
        ("firing", 1, 0),
        ("resolved", 0, 1),
    ]
    assert (firing["alerts"][0]["worker"], firing["alerts"][0]["description"]) == ("w-1", "tasks fail")
    # However often it was tried, one message has one key, and a receiver can tell.
    assert {one.headers["Idempotency-Key"] for one in hook.posted} == {firing["key"], resolved["key"]}
    assert {one.headers["X-Token"] for one in hook.posted} == {TOKEN}
    assert [mail["Subject"] for mail in mail.mails] == [
        "[FIRING:1] failing_tasks (CRITICAL) on w-1",
        "[RESOLVED:1] failing_tasks (CRITICAL) on w-1",
    ]
    states = [(event.level, event.fields["state"]) for event in fleet.events("coordinator", "", "alert")]
    assert states == [("ERROR", "firing"), ("INFO", "resolved")]
    tries = fleet.events("coordinator", "", "notification")
    assert {event.fields["state"] for event in tries} == {"waiting", "delivered"}
    no_secret_in(fleet.data, PASSWORD, TOKEN, "t0p-s3cret-path")


def test_a_kill_between_delivery_and_note_sends_a_copy_that_can_be_told(fleet, monkeypatch):
    with webhook() as hook:
        monkeypatch.setenv("HOOK_URL", hook.url)
        options = configure(fleet, HOOK.format(name="hook", variable="HOOK_URL", pace=PACE))
        coordinator = fleet.coordinator(*options)
        hook.before_answer = coordinator.kill
        fleet.worker("w-1")
        fleet.submit(FAIL)
        wait_for("the delivery", lambda: hook.posted)
        assert coordinator.wait(15) == -signal.SIGKILL
        fleet.coordinator(*options)
        wait_for("the copy", lambda: len(hook.posted) == 2)
        settled(fleet)
    first, copy = hook.accepted()
    assert first == copy
    assert first["key"]


def test_dead_channels_delay_neither_another_nor_the_coordinator(fleet, monkeypatch):
    with hanging() as port, webhook() as hook:
        monkeypatch.setenv("HOOK_URL", hook.url)
        monkeypatch.setenv("STUCK_URL", f"http://127.0.0.1:{port}/")
        monkeypatch.setenv("GONE_URL", f"http://127.0.0.1:{free_port()}/")
        options = configure(
            fleet,
            HOOK.format(name="gone", variable="GONE_URL", pace=PACE),
            HOOK.format(name="hook", variable="HOOK_URL", pace=f"{PACE}, repeat_interval: 1s"),
            HOOK.format(name="stuck", variable="STUCK_URL", pace=f"{PACE}, timeout: 1m"),
        )
        coordinator = fleet.coordinator(*options)
        fleet.worker("w-1")
        fleet.submit(FAIL)
        wait_for("two repetitions", lambda: len(hook.accepted()) >= 3)
        fleet.submit(*[ECHO] * 3)
        wait_for("the end", lambda: hook.accepted()[-1]["status"] == "resolved")
        first, *again, last = hook.accepted()
        assert [body["repeated"] for body in (first, *again, last)] == [False, *[True] * len(again), False]
        channels = {channel["channel"]: channel for channel in alerts(fleet)["channels"]}
        assert (channels["stuck"]["delivered"], channels["stuck"]["waiting"] > 0) == (0, True)
        assert "Connection refused" in channels["gone"]["last_error"]
        assert metric(fleet, "recontool_notifications_total", channel="hook", outcome="delivered") >= 3
        assert metric(fleet, "recontool_worker_connected", worker="w-1") == 1
        assert fleet.http("/healthz") == (200, {"status": "ok", "workers_connected": 1})
        began = time.monotonic()
        assert end(coordinator) == 0
        assert time.monotonic() - began < 10  # a promise of the process, not a measurement


def metric(fleet, name, **labels):
    status, body = fleet.text("/metrics")
    assert status == 200
    samples = [sample for family in text_string_to_metric_families(body) for sample in family.samples]
    (value,) = [sample.value for sample in samples if sample.name == name and sample.labels == labels]
    return value


def test_a_missing_secret_ends_the_start_with_a_clear_error(fleet, monkeypatch):
    monkeypatch.delenv("HOOK_TOKEN")
    monkeypatch.setenv("HOOK_URL", "http://127.0.0.1:1/")
    options = configure(fleet, HOOK.format(name="hook", variable="HOOK_URL", pace=PACE))
    process = fleet._start("run-coordinator", "--port", "0", *options)
    _, stderr = process.communicate(timeout=15)
    assert process.returncode == 2
    assert "the environment variable HOOK_TOKEN is not set" in stderr
    assert "fleet.yaml:10:" in stderr
    assert "Traceback" not in stderr
