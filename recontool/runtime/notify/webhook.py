"""Notifications as a POST of JSON: to any webhook, or to Slack's incoming ones."""

import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
from typing import Any, Final

from recontool.model.version import VERSION
from recontool.runtime.notify import slack
from recontool.runtime.notify.message import Notification, json_body
from recontool.runtime.notify.retry import DeliveryError, is_final, retry_after_s
from recontool.runtime.notify.settings import Webhook

_SHOWN_ANSWER_BYTES: Final = 200


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would turn the POST into a GET and carry headers to a host nobody configured."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def send(target: Webhook, message: Notification, timeout_s: float) -> str:
    """Post `message`; returns once the receiver has answered 2xx.

    Raises:
        DeliveryError: it has not.
    """
    body = slack.body(message, target.dashboard) if target.slack else json_body(message)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": f"recontool/{VERSION}",
        "Idempotency-Key": message.key,
        **{name: secret.reveal() for name, secret in target.headers},
    }
    data = json.dumps(body, allow_nan=False).encode()
    request = urllib.request.Request(target.url.reveal(), data, headers, method="POST")  # noqa: S310 - checked: http(s)
    trusted = ssl.create_default_context(cafile=target.ca_file or None)
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.HTTPSHandler(context=trusted))
    try:
        with opener.open(request, timeout=timeout_s):
            return ""
    except urllib.error.HTTPError as error:
        with error:
            raise _refused(error) from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise DeliveryError(f"{type(error).__name__}: {reason}") from None


def _refused(error: urllib.error.HTTPError) -> DeliveryError:
    try:
        answer = error.read(_SHOWN_ANSWER_BYTES).decode("utf-8", "replace").strip()
    except (OSError, http.client.HTTPException):
        answer = ""  # the status says enough
    said = f": {answer}" if answer else ""
    wait_s = retry_after_s(error.headers.get("Retry-After"), time.time_ns() // 1000)
    return DeliveryError(f"HTTP {error.code}{said}", final=is_final(error.code), retry_after_s=wait_s)
