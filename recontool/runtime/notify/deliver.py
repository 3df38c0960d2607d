"""Picks what delivers to a channel; libraries are imported when the first message goes out."""

from functools import partial

from recontool.runtime.notify.courier import Send
from recontool.runtime.notify.message import Notification
from recontool.runtime.notify.settings import Apprise, Channel, Email


def to(channel: Channel) -> Send:
    """The function that delivers one message to `channel`."""
    return partial(_send, channel)


def _send(channel: Channel, message: Notification) -> str:
    timeout_s = channel.pacing.timeout_s
    match channel.target:
        case Email() as target:
            from recontool.runtime.notify import mail

            return mail.send(target, message, timeout_s)
        case Apprise() as target:
            from recontool.runtime.notify import apprise_library

            return apprise_library.send(target, message, timeout_s)
        case target:
            from recontool.runtime.notify import webhook

            return webhook.send(target, message, timeout_s)
