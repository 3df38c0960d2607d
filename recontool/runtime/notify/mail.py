"""Notifications as mail over SMTP, encrypted by STARTTLS or from the first byte, with a login where one is set."""

import contextlib
import smtplib
import socket
import ssl
from email.message import EmailMessage
from email.utils import formatdate
from typing import Final

from recontool.model.units import SECOND_US
from recontool.runtime.notify.message import Notification, subject, text
from recontool.runtime.notify.retry import DeliveryError
from recontool.runtime.notify.settings import Email

_REFUSED: Final = 500  # replies from here on are final in SMTP
_SUBJECT_LIMIT: Final = 200


def send(target: Email, message: Notification, timeout_s: float) -> str:
    """Hand `message` to the mail server; a note when it took the message for some recipients only.

    Raises:
        DeliveryError: it took it for none.
    """
    try:
        return _deliver(target, compose(target, message), timeout_s)
    except smtplib.SMTPRecipientsRefused as error:
        code, answer = next(iter(error.recipients.values()))
        raise DeliveryError(_said(code, answer), final=_all_final(error)) from None
    except (
        smtplib.SMTPAuthenticationError,
        smtplib.SMTPConnectError,
        smtplib.SMTPHeloError,
        smtplib.SMTPSenderRefused,
    ) as error:
        # About the channel, not about this message: once the password is right, the message can go.
        raise DeliveryError(_said(error.smtp_code, error.smtp_error)) from None
    except smtplib.SMTPResponseException as error:
        final = error.smtp_code >= _REFUSED
        raise DeliveryError(_said(error.smtp_code, error.smtp_error), final=final) from None
    except (smtplib.SMTPException, OSError) as error:  # OSError: ssl errors and timeouts, too
        raise DeliveryError(f"{type(error).__name__}: {error}") from None


def compose(target: Email, message: Notification) -> EmailMessage:
    """The mail; its Message-ID is made of the key, so that a copy can be told."""
    mail = EmailMessage()
    mail["From"], mail["To"] = target.sender, ", ".join(target.to)
    mail["Subject"] = subject(message)[:_SUBJECT_LIMIT]
    mail["Date"] = formatdate(message.at_us / SECOND_US)
    mail["Message-ID"] = f"<{message.key}@recontool>"
    mail["Auto-Submitted"] = "auto-generated"  # holds back out-of-office replies
    mail.set_content(text(message))
    return mail


def _deliver(target: Email, mail: EmailMessage, timeout_s: float) -> str:
    own_name = socket.gethostname()  # smtplib would ask the DNS, for as long as that takes
    if target.tls == "implicit":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            target.host, target.port, own_name, timeout=timeout_s, context=_context(target)
        )
    else:
        smtp = smtplib.SMTP(target.host, target.port, own_name, timeout=timeout_s)
    try:
        if target.tls == "starttls":
            smtp.starttls(context=_context(target))
        if target.password is not None:
            smtp.login(target.login, target.password.reveal())
        refused = smtp.send_message(mail)
        # Accepted: whatever the farewell brings, the mail must not be sent again.
        with contextlib.suppress(smtplib.SMTPException, OSError):
            smtp.quit()
    finally:
        smtp.close()
    return "; ".join(f"{who}: {_said(code, answer)}" for who, (code, answer) in refused.items())


def _context(target: Email) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=target.ca_file or None)


def _said(code: int, answer: bytes | str) -> str:
    told = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return f"SMTP {code}: {' '.join(told.split())[:200]}"


def _all_final(error: smtplib.SMTPRecipientsRefused) -> bool:
    return all(code >= _REFUSED for code, _ in error.recipients.values())
