"""The `notifications:` section: what it may say, and where it says what it must not."""

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from recontool.model.errors import UsageError
from recontool.model.units import SECOND_US
from recontool.runtime.config import read
from recontool.runtime.notify import read as notify
from recontool.runtime.notify.settings import USUAL, Channel, Email, Webhook
from recontool.runtime.notify.silence_file import SilenceFile

FULL = """\
notifications:
  channels:
    email:
      host: mail.example.org
      from: alerts@example.org
      to: [ops@example.org, boss@example.org]
      login: alerts
      password: ${SMTP_PASSWORD}
      group_by: [alert, worker]
      repeat_interval: 12h
    team:
      kind: slack
      url: "https://hooks.example.org/${HOOK}"
    pager:
      kind: webhook
      url: http://127.0.0.1:9000/alerts
      headers: {Authorization: "Bearer ${TOKEN}"}
      send_resolved: false
      group_wait: 0s
      group_interval: 30s
      queue_limit: 5
      timeout: 2s
  silences:
    - alert: low_compression
      worker: "test-*"
      until: 2026-11-24T18:00:00Z
      comment: known
"""


@pytest.fixture
def environment(monkeypatch):
    for name, value in {"SMTP_PASSWORD": "pass-1", "HOOK": "T0/B0/x", "TOKEN": "tok-1"}.items():
        monkeypatch.setenv(name, value)


def section(tmp_path, text, role="coordinator"):
    path = tmp_path / "fleet.yaml"
    path.write_text(text)
    return read(role, {"worker_id": "w-1"} if role == "worker" else {}, path).notifications


@pytest.mark.usefixtures("environment")
def test_a_full_section(tmp_path):
    found = section(tmp_path, FULL)
    email, team, pager = found.channels
    assert email == Channel("email", "email", email.target, email.pacing)
    assert isinstance(email.target, Email)
    assert (email.target.port, email.target.tls, email.target.to[1]) == (587, "starttls", "boss@example.org")
    assert email.target.password.reveal() == "pass-1"
    assert email.pacing == replace(USUAL, group_by=("alert", "worker"), repeat_interval_us=12 * 3600 * SECOND_US)
    assert isinstance(team.target, Webhook)
    assert (team.target.slack, team.target.url.reveal()) == (True, "https://hooks.example.org/T0/B0/x")
    assert team.pacing == USUAL
    assert [(name, value.reveal()) for name, value in pager.target.headers] == [("Authorization", "Bearer tok-1")]
    assert (pager.pacing.send_resolved, pager.pacing.group_wait_us, pager.pacing.queue_limit) == (False, 0, 5)
    assert pager.pacing.timeout_s == 2.0
    (silence,) = found.silences
    assert (silence.alert, silence.worker, silence.severity, silence.comment) == (
        "low_compression",
        "test-*",
        "*",
        "known",
    )
    assert silence.until_us == 1_795_543_200 * SECOND_US


@pytest.mark.usefixtures("environment")
def test_secrets_stay_out_of_every_representation(tmp_path):
    shown = repr(section(tmp_path, FULL))
    assert [secret for secret in ("pass-1", "T0/B0", "tok-1") if secret in shown] == []


def test_a_worker_needs_neither_the_section_nor_its_secrets(tmp_path):
    assert section(tmp_path, FULL, "worker").channels == ()


def test_a_password_that_stands_there_twice_is_not_repeated(tmp_path):
    text = MAIL.format(", login: me, password: hunter22, password: hunter33")
    with pytest.raises(UsageError, match=r'fleet\.yaml:3:\d+: is no YAML: found duplicate key "password"') as caught:
        section(tmp_path, text)
    assert "hunter" not in str(caught.value)


@pytest.mark.usefixtures("environment")
def test_no_section_and_empty_ones_are_fine(tmp_path):
    assert section(tmp_path, "port: 0\n").channels == ()
    assert section(tmp_path, "notifications: {channels: {}, silences: []}\n").channels == ()


MAIL = "notifications:\n  channels:\n    email: {{host: h, from: a@b, to: c@d{}}}\n"
HOOK = "notifications:\n  channels:\n    hook: {{kind: webhook, url: {}}}\n"
SILENCE = "notifications:\n  silences:\n    - {{{}}}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("notifications: on\n", r":1:1: notifications is a str, expected a mapping"),
        ("notifications:\n  channelz: {}\n", r":2:3: unknown key 'channelz' in notifications\n.*'channels'"),
        ("notifications:\n  channels: [a]\n", r":2:3: notifications\.channels is a .*expected a mapping"),
        ("notifications:\n  channels:\n    hook:\n", r":3:5: channel hook is empty"),
        ("notifications:\n  channels:\n    7: {}\n", r":3:5: notifications\.channels: 7 is no name"),
        ("notifications:\n  channels:\n    dashboard: {kind: slack, url: http://h}\n", r":3:5: .*needs no channel"),
        ("notifications:\n  channels:\n    A b: {kind: slack, url: http://h}\n", r":3:5: .*no name for a channel"),
        (
            "notifications:\n  channels:\n    hook: {url: http://h}\n",
            r":3:\d+: channel hook: kind must be one of email",
        ),
        ("notifications:\n  channels:\n    x: {kind: slak}\n", r":3:9: .*did you mean 'slack'"),
        (MAIL.format(", prot: 25"), r":3:\d+: unknown key 'prot' in channel email\n.*'port'"),
        (MAIL.format(", port: 0"), r":3:42: channel email: port must be a whole number from 1 to 65535"),
        (MAIL.format(", port: '25'"), r"port must be a whole number"),
        (MAIL.format(", port: true"), r"port must be a whole number"),
        (MAIL.format(", tls: ssl"), r"tls must be one of starttls, implicit, none"),
        (MAIL.format(", login: me"), r"login must be given together"),
        (MAIL.format(", password: x"), r"password must be given together"),
        (MAIL.format(", login: me, password: x, tls: none"), r"must not travel in clear"),
        (MAIL.format(", ca_file: /does/not/exist"), r"ca_file must be a file"),
        (MAIL.format(", url: http://h"), r"unknown key 'url'"),
        ("notifications: {channels: {email: {host: h, from: a@b}}}\n", r"channel email needs 'to'"),
        ("notifications: {channels: {email: {host: h, from: 'a, b@c', to: d@e}}}\n", r"from must be a mail address"),
        ('notifications: {channels: {email: {host: "h\\nX", from: a@b, to: d@e}}}\n', r"host must be one line"),
        (HOOK.format("ftp://h/x"), r":3:\d+: channel hook: url must be an address"),
        (HOOK.format("http:///x"), r"url must be an address"),
        (HOOK.format("http://h:99999/"), r"url must be an address"),
        (HOOK.format("http://me:pass@h/"), r"url must be an address without a name and password"),
        (HOOK.format("7"), r"url must be a text"),
        (HOOK.format("http://h, headers: {'X Y': z}"), r"headers must be a mapping"),
        (HOOK.format('http://h, headers: {X: "a\\r\\nb"}'), r"X must be one line"),
        (HOOK.format("http://h, group_by: [alrt]"), r"group_by must be a list of alert, severity, worker"),
        (HOOK.format("http://h, group_by: [alert, alert]"), r"each at most once"),
        (HOOK.format("http://h, group_wait: 10"), r"group_wait must be a duration"),
        (HOOK.format("http://h, repeat_interval: 0s"), r"repeat_interval must be a duration from 1 s"),
        (HOOK.format("http://h, repeat_interval: 8d"), r"repeat_interval must be a duration"),
        (HOOK.format("http://h, send_resolved: maybe"), r"send_resolved must be true or false"),
        (HOOK.format("'http://h/${NOT_SET_HERE}'"), r":3:\d+: the environment variable NOT_SET_HERE is not set"),
        (SILENCE.format("until: 2026-11-24T18:00:00Z"), r"says which alerts"),
        (SILENCE.format("alert: x"), r":3:7: silence needs 'until'"),
        (SILENCE.format("alert: x, until: tomorrow"), r"until must be a time with its zone"),
        (SILENCE.format("alert: x, until: '2026-11-24T18:00:00'"), r"until must be a time with its zone"),
        (SILENCE.format("alert: x, from: 2027-01-01T00:00:00Z, until: 2026-01-01T00:00:00Z"), r"later than from"),
        (SILENCE.format("alert: x, severity: LOUD, until: 2026-01-01T00:00:00Z"), r"severity must be one of"),
        (SILENCE.format("alert: x, untli: 2026-01-01T00:00:00Z"), r":3:\d+: unknown key 'untli'.*'until'"),
        ("notifications: {silences: 3}\n", r"silences are a list"),
        ("notifications: {public_url: recon.example.org}\n", r":1:17: notifications: public_url must be an address"),
        ("notifications: {public_url: 'http://h/?x=1'}\n", r"public_url must be an address that paths"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, text, message):
    with pytest.raises(UsageError, match=rf"(?s)fleet\.yaml.*{message}"):
        section(tmp_path, text)


BAD = """\
notifications:
  channels:
    email: {hots: h, from: a, to: [c@d], tls: ssl, login: me, password: "${NOT_SET_HERE}"}
    hook:
      kind: webhook
      url: ftp://h
      headers: {"X Y": z, Ok: 7}
      group_wait: 10
    A b: {kind: slak}
    empty:
  silences:
    - {alert: x, until: tomorrow, severity: LOUD}
    - 7
"""


def test_everything_that_is_wrong_is_said_at_once(tmp_path):
    with pytest.raises(UsageError) as caught:
        section(tmp_path, BAD)
    lines = str(caught.value).splitlines()
    told = [re.sub(r".*fleet\.yaml:", "", line) for line in lines if "fleet.yaml" in line]
    assert lines[0] == f"{len(told)} problems"
    assert told == [
        "3:5: channel email needs 'host'",
        "3:13: unknown key 'hots' in channel email",
        "3:22: channel email: from must be a mail address",
        "3:42: channel email: tls must be one of starttls, implicit, none",
        "3:63: the environment variable NOT_SET_HERE is not set",
        "6:7: channel hook: url must be an address that begins with http:// or https://",
        "7:7: channel hook: headers must be a mapping of header names to texts",
        "7:27: channel hook.headers: Ok must be a text",
        "8:7: channel hook: group_wait must be a duration of at most 7 d",
        "9:5: 'A b' is no name for a channel, expected a-z 0-9 _ -",
        "9:11: channel A b: kind must be one of email, slack, webhook, apprise",
        "10:5: channel empty is empty, expected a mapping `name: value`",
        "12:18: silence: until must be a time with its zone",
        "12:35: silence: severity must be one of *, CRITICAL, WARNING, INFO",
        "13:7: silence is a int, expected a mapping `name: value`",
    ]
    assert "  help: did you mean 'host'?" in lines


def test_the_page_shows_a_configuration_that_is_accepted_and_every_key(tmp_path, monkeypatch):
    for name in ("SMTP_PASSWORD", "PAGER_TOKEN"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("SLACK_WEBHOOK", "https://hooks.example.org/x")
    page = (Path(__file__).parents[3] / "docs" / "notifications.md").read_text("utf-8")
    example, silence_file = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    found = section(tmp_path, example)
    assert [(channel.name, channel.kind) for channel in found.channels] == [
        ("email", "email"),
        ("team", "slack"),
        ("pager", "webhook"),
    ]
    assert len(found.silences) == 1
    path = tmp_path / "silences.yaml"
    path.write_text(silence_file)
    reader = SilenceFile(path, {})
    assert reader.refresh() == ""
    assert [silence.worker for silence in reader.silences()] == ["worker-7"]
    known = notify.COMMON.union(notify.SILENCE, *notify.OWN.values()) - {"comment"}
    assert [key for key in sorted(known) if f"`{key}`" not in page] == []
