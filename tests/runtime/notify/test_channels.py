"""Each channel against a real receiver: what arrives, and what a failure is taken for."""

import pytest
from receivers import LOGIN, PASSWORD, certified, free_port, hanging, mail_server, webhook

from recontool.runtime.notify import apprise_library, mail, slack
from recontool.runtime.notify import webhook as hook
from recontool.runtime.notify.message import LISTED, Item, notification, subject, text
from recontool.runtime.notify.retry import DeliveryError
from recontool.runtime.notify.secret import Secret
from recontool.runtime.notify.settings import Apprise, Email, Webhook

T_US = 1_767_225_600_000_000
FIRING = Item("slow", "WARNING", "w-1", T_US, 231.5, "avg_message_latency_ms > 200", "Look <at> & the network")
OVER = Item("lost", "CRITICAL", None, T_US, 1.0, "failed_reconnections > 0", resolved_us=T_US + 60_000_000)
MESSAGE = notification("hook", {"alert": "slow"}, T_US + 1, [FIRING], [OVER], repeated=False)
RESOLVED = notification("hook", {"alert": "lost"}, T_US + 2, [], [OVER], repeated=False)


def target(url, **more):
    return Webhook(Secret(url), **more)


def test_a_webhook_gets_the_documented_json():
    with webhook() as receiver:
        hook.send(target(receiver.url, headers=(("X-Token", Secret("tok")),)), MESSAGE, 5)
        hook.send(target(receiver.url), RESOLVED, 5)
    first, second = receiver.posted
    assert (first.headers["Content-Type"], first.headers["X-Token"]) == ("application/json; charset=utf-8", "tok")
    assert first.headers["Idempotency-Key"] == first.body["key"] == MESSAGE.key
    assert first.headers["User-Agent"].startswith("recontool/")
    assert (first.body["schema"], first.body["status"]) == ("recontool.notification/1", "firing")
    assert (first.body["firing"], first.body["resolved"], first.body["group"]) == (1, 1, {"alert": "slow"})
    assert first.body["alerts"][0] == {
        "alert": "slow",
        "severity": "WARNING",
        "worker": "w-1",
        "state": "firing",
        "since": "2026-01-01T00:00:00.000000Z",
        "resolved_at": None,
        "value": 231.5,
        "condition": "avg_message_latency_ms > 200",
        "description": "Look <at> & the network",
    }
    assert first.body["alerts"][1]["resolved_at"] == "2026-01-01T00:01:00.000000Z"
    assert (second.body["status"], second.body["alerts"][0]["worker"]) == ("resolved", None)


def test_a_webhooks_certificate_is_checked(tmp_path):
    ca_file, context = certified(tmp_path)
    with webhook(context=context) as receiver:
        url = receiver.url.replace("http:", "https:")
        with pytest.raises(DeliveryError, match="certificate") as caught:
            hook.send(target(url), MESSAGE, 5)
        assert not caught.value.final
        hook.send(target(url, ca_file=str(ca_file)), MESSAGE, 5)
    assert [one.body["key"] for one in receiver.posted] == [MESSAGE.key]


def test_slack_gets_text_with_its_signs_escaped_and_bounded():
    many = notification("s", {}, T_US, [FIRING] * (LISTED + 2), [], repeated=True)
    with webhook() as receiver:
        hook.send(target(receiver.url, slack=True), MESSAGE, 5)
        hook.send(target(receiver.url, slack=True), many, 5)
    first, second = receiver.posted
    assert list(first.body) == ["text", "blocks"]
    assert first.body["text"].startswith("[FIRING:1] slow (WARNING) on w-1\n")
    assert "Look &lt;at&gt; &amp; the network" in first.body["text"]
    assert len(second.body["text"]) < 4000
    assert len(second.body["blocks"]) == 22
    assert "... and 32 more" in second.body["blocks"][-1]["elements"][0]["text"]


def test_slack_gets_a_block_per_alert_and_a_link():
    with webhook() as receiver:
        hook.send(target(receiver.url, slack=True, dashboard="https://recon.example.org/dashboard"), MESSAGE, 5)
    head, firing, resolved, notes, link = receiver.posted[0].body["blocks"]
    assert head["text"]["text"] == "*[FIRING:1] slow (WARNING) on w-1*"
    assert firing["text"]["text"] == ":large_orange_circle: *slow*\nLook &lt;at&gt; &amp; the network"
    fields = [field["text"].replace("\u200b", "") for field in firing["fields"]]
    assert fields == [
        "*Severity*\nWARNING",
        "*Worker*\nw-1",
        "*Since*\n2026-01-01T00:00:00.000000Z",
        "*Value*\n231.5 (avg_message_latency_ms &gt; 200)",
    ]
    assert resolved["text"]["text"] == ":white_check_mark: resolved *lost*"
    assert "*Until*\n2026-01-01T00:01:00.000000Z" in [field["text"] for field in resolved["fields"]]
    assert MESSAGE.key in notes["elements"][0]["text"]
    assert link["text"]["text"] == "<https://recon.example.org/dashboard|Open the dashboard>"


def strings(value):
    """Every text in a body, however deep."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from strings(inner)


@pytest.mark.parametrize("evil", ["<!channel> <http://evil|you> `*_~ & \n" * 200, "&" * 4000, "*" * 4000])
def test_what_an_alert_is_called_can_mention_nobody_and_stays_within_slacks_limits(evil):
    item = Item(evil, "INFO", evil, T_US, float("1e308"), evil, evil)
    found = slack.body(notification("s", {}, T_US, [item] * 50, [], repeated=False))
    assert not any("<" in part or ">" in part for part in strings(found))
    texts = [block["text"] for block in found["blocks"] if "text" in block]
    fields = [field for block in found["blocks"] for field in block.get("fields", ())]
    assert max(len(one["text"]) for one in texts) <= 3000
    assert max(len(one["text"]) for one in fields) <= 2000
    assert all(one["verbatim"] for one in [*texts, *fields])
    assert len(found["blocks"]) <= 50


@pytest.mark.parametrize(
    ("status", "headers", "final", "retry_after_s"),
    [
        (500, {}, False, 0),
        (503, {"Retry-After": "7"}, False, 7),
        (429, {"Retry-After": "30"}, False, 30),
        (404, {}, False, 0),
        (400, {}, True, 0),
        (302, {"Location": "http://127.0.0.1:1/elsewhere"}, True, 0),
    ],
)
def test_an_answer_that_is_no_success(status, headers, final, retry_after_s):
    with webhook((status, headers)) as receiver, pytest.raises(DeliveryError) as caught:
        hook.send(target(receiver.url), MESSAGE, 5)
    assert caught.value.problem.startswith(f"HTTP {status}: said {status}")
    assert (caught.value.final, caught.value.retry_after_s) == (final, retry_after_s)


def test_a_receiver_that_is_gone_or_hangs_or_speaks_no_http():
    with pytest.raises(DeliveryError, match="refused") as caught:
        hook.send(target(f"http://127.0.0.1:{free_port()}/"), MESSAGE, 5)
    assert not caught.value.final
    with hanging() as port, pytest.raises(DeliveryError, match="timed out"):
        hook.send(target(f"http://127.0.0.1:{port}/"), MESSAGE, 0.1)
    with pytest.raises(DeliveryError, match="SSL"), webhook() as receiver:
        hook.send(target(receiver.url.replace("http:", "https:")), MESSAGE, 5)


def email(server, **changes):
    usual = {
        "host": "localhost",
        "port": server.port,
        "sender": "alerts@example.org",
        "to": ("ops@example.org", "boss@example.org"),
        "tls": "starttls",
        "login": LOGIN,
        "password": Secret(PASSWORD),
        "ca_file": str(server.ca_file),
    }
    return Email(**{**usual, **changes})


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # it does not see that the connection is encrypted already
@pytest.mark.parametrize("implicit", [False, True])
def test_mail_goes_out_encrypted_and_logged_in(tmp_path, implicit):
    with mail_server(tmp_path, implicit=implicit) as server:
        mail.send(email(server, tls="implicit" if implicit else "starttls"), MESSAGE, 5)
    (received,) = server.mails
    assert received["Subject"] == "[FIRING:1] slow (WARNING) on w-1"
    assert (received["From"], received["To"]) == ("alerts@example.org", "ops@example.org, boss@example.org")
    assert received["Message-ID"] == f"<{MESSAGE.key}@recontool>"
    assert received.get_content().replace("\r\n", "\n").rstrip() == text(MESSAGE).rstrip()


@pytest.mark.parametrize(
    ("answer", "final"), [("451 try later", False), ("421 closing", False), ("554 this is spam", True)]
)
def test_an_answer_of_the_mail_server(tmp_path, answer, final):
    with mail_server(tmp_path, answer) as server:
        with pytest.raises(DeliveryError, match=answer[:3]) as caught:
            mail.send(email(server), MESSAGE, 5)
        assert caught.value.final is final
        mail.send(email(server), MESSAGE, 5)
    assert len(server.mails) == 1


def test_trouble_with_the_mail_channel_is_never_the_messages_fault(tmp_path):
    with mail_server(tmp_path) as server:
        cases = [
            (email(server, password=Secret("wrong")), "SMTP 535"),
            (email(server, ca_file=""), "certificate"),
            (email(server, tls="none", login="", password=None), "SMTP 530"),
        ]
        for settings, said in cases:
            with pytest.raises(DeliveryError, match=said) as caught:
                mail.send(settings, MESSAGE, 5)
            assert not caught.value.final
        assert server.mails == []
        assert server.refused_logins > 0
    with pytest.raises(DeliveryError, match="refused"):
        mail.send(email(server), MESSAGE, 5)
    with hanging() as port, pytest.raises(DeliveryError, match="timed out"):
        mail.send(email(server, port=port), MESSAGE, 0.1)


def test_a_mail_server_without_encryption_gets_nothing(tmp_path):
    with mail_server(tmp_path, clear=True) as server:
        with pytest.raises(DeliveryError, match="STARTTLS") as caught:
            mail.send(email(server, login="", password=None), MESSAGE, 5)
        assert not caught.value.final
        assert server.mails == []
        mail.send(email(server, tls="none", login="", password=None), MESSAGE, 5)
        assert len(server.mails) == 1


def test_a_rules_name_of_several_lines_is_one_subject():
    odd = notification("h", {}, 1, [Item("slow\r\nBcc: x@y", "WARNING", "w", 1)], [], repeated=False)
    to = Email("h", 1, "a@b", ("c@d",), "none")
    assert mail.compose(to, odd)["Subject"] == "[FIRING:1] slow Bcc: x@y (WARNING) on w"
    assert mail.compose(to, odd)["Bcc"] is None


def test_apprise_delivers_to_its_addresses():
    with webhook((500, {})) as receiver:
        to = Apprise((Secret(f"json://127.0.0.1:{receiver.port}/a"),))
        with pytest.raises(DeliveryError, match="apprise"):
            apprise_library.send(to, MESSAGE, 5)
        apprise_library.send(to, MESSAGE, 5)
    assert receiver.posted[1].body["title"] == subject(MESSAGE)
    assert apprise_library.accepts("json://localhost")
    assert not apprise_library.accepts("nosuch://localhost")


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (MESSAGE, "[FIRING:1] slow (WARNING) on w-1"),
        (RESOLVED, "[RESOLVED:1] lost (CRITICAL) on the fleet"),
        (notification("h", {}, 1, [FIRING], [], repeated=True), "[FIRING:1, still] slow (WARNING) on w-1"),
        (
            notification("h", {}, 1, [Item("slow", "WARNING", f"w-{n}", 1) for n in range(4)], [], repeated=False),
            "[FIRING:4] slow (WARNING) on 4 workers",
        ),
    ],
)
def test_subjects(message, line):
    assert subject(message) == line
