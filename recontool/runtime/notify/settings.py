"""What `notifications:` can say: the channels, how each groups and repeats, and the silences."""

from typing import Final, Literal, TypeAlias

from msgspec import Struct, field

from recontool.model.units import MINUTE_US, SECOND_US
from recontool.runtime.notify.secret import Secret
from recontool.runtime.notify.silences import Silence

Label: TypeAlias = Literal["alert", "severity", "worker"]
Tls: TypeAlias = Literal["starttls", "implicit", "none"]
LABELS: Final[tuple[Label, ...]] = ("alert", "severity", "worker")
DASHBOARD: Final = "dashboard"  # always there and needs no delivery: `/api/v1/alerts` and the page show every alert
KINDS: Final = ("email", "slack", "webhook", "apprise")


class Email(Struct, frozen=True):
    """Mail over SMTP."""

    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    tls: Tls
    login: str = ""
    password: Secret | None = None
    ca_file: str = ""


class Webhook(Struct, frozen=True):
    """A POST of JSON; `slack` sends what Slack's incoming webhooks expect, with a link to `dashboard` if there is one."""

    url: Secret
    slack: bool = False
    headers: tuple[tuple[str, Secret], ...] = ()
    ca_file: str = ""
    dashboard: str = ""


class Apprise(Struct, frozen=True):
    """Addresses of the apprise library."""

    urls: tuple[Secret, ...]


Target: TypeAlias = Email | Webhook | Apprise


class Pacing(Struct, frozen=True):
    """What makes a message and when; `timeout_s` is the patience with one step of a delivery."""

    group_by: tuple[Label, ...] = ("alert",)
    group_wait_us: int = 10 * SECOND_US
    group_interval_us: int = MINUTE_US
    repeat_interval_us: int = 240 * MINUTE_US
    send_resolved: bool = True
    queue_limit: int = 1000
    timeout_s: float = 10.0


USUAL: Final = Pacing()


class Channel(Struct, frozen=True):
    """One way to people."""

    name: str
    kind: str
    target: Target
    pacing: Pacing = USUAL

    def secrets(self) -> list[Secret]:
        """All that must never stand in a log."""
        match self.target:
            case Email(password=password):
                return [password] if password is not None else []
            case Webhook(url=url, headers=headers):
                return [url, *(secret for _, secret in headers)]
            case Apprise(urls=urls):
                return list(urls)


class Notifications(Struct, frozen=True):
    """The whole section."""

    channels: tuple[Channel, ...] = ()
    silences: tuple[Silence, ...] = field(default_factory=tuple)
