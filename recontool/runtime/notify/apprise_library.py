"""Notifications through the apprise library, an extra: more than a hundred services by address."""

import importlib.util
import logging
from typing import Any

from recontool.model.errors import UsageError
from recontool.runtime.notify.message import Notification, subject, text
from recontool.runtime.notify.retry import DeliveryError
from recontool.runtime.notify.settings import Apprise


def require(where: str) -> None:
    """Nothing, where the library is installed.

    Raises:
        UsageError: it is not.
    """
    if importlib.util.find_spec("apprise") is None:
        raise UsageError(
            "a channel of kind apprise needs the apprise library, which is not installed",
            where=where,
            hint="pip install 'recontool[notify]'",
        )


def accepts(url: str) -> bool:
    """Whether the library knows what to do with `url`."""
    return bool(_library().Apprise().add(url))


def send(target: Apprise, message: Notification, timeout_s: float) -> str:
    """Hand `message` to every address.

    Raises:
        DeliveryError: one of them failed; all are tried again then, for the library does not say which.
    """
    library = _library()
    # `cto` and `rto` are its names for the patience with a connection and with an answer.
    addresses = [_with_timeouts(secret.reveal(), timeout_s) for secret in target.urls]
    sender = library.Apprise()
    for address in addresses:
        sender.add(address)
    kind = library.NotifyType.WARNING if message.status == "firing" else library.NotifyType.SUCCESS
    if not sender.notify(body=text(message), title=subject(message), notify_type=kind):
        raise DeliveryError("apprise could not deliver to all of its addresses")
    return ""


def _with_timeouts(url: str, timeout_s: float) -> str:
    return f"{url}{'&' if '?' in url else '?'}cto={timeout_s:g}&rto={timeout_s:g}"


def _library() -> Any:
    import apprise

    # Its log repeats addresses, and addresses hold secrets.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    return apprise
