"""Real receivers on loopback, for tests: a mail server with STARTTLS and a login, a webhook, and sockets that hang."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

LOGIN, PASSWORD = "alerts", "s3cret-pass-word"


@dataclass
class Posted:
    """One request; `status` is what it was answered."""

    path: str
    headers: dict[str, str]
    body: Any
    status: int


@dataclass
class Webhook:
    """Answers each POST with the next of `answers`, then 200. An answer is a status and headers.

    `before_answer` is called once, when the next request has been taken in.
    """

    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    posted: list[Posted] = field(default_factory=list)
    before_answer: Callable[[], None] | None = None
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook/t0p-s3cret-path"

    def accepted(self) -> list[Any]:
        """Bodies that were answered 2xx."""
        return [one.body for one in list(self.posted) if 200 <= one.status < 300]


@contextmanager
def webhook(*answers: tuple[int, dict[str, str]], context: ssl.SSLContext | None = None) -> Iterator[Webhook]:
    """A webhook that runs while the context lasts; with `context` it speaks TLS."""
    made = Webhook(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, headers = made.answers.pop(0) if made.answers else (200, {})
            made.posted.append(Posted(self.path, dict(self.headers.items()), json.loads(body), status))
            if made.before_answer is not None:
                interrupt, made.before_answer = made.before_answer, None
                interrupt()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(BrokenPipeError):  # the sender was killed meanwhile
                self.wfile.write(f"said {status} to {self.path}".encode())

        def log_message(self, *_: object) -> None:
            """Nothing: the tests look at `posted`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    made.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class MailServer:
    """Takes mail over STARTTLS from who logs in; `answers` come first, in order, each in place of an acceptance."""

    ca_file: Path
    answers: list[str] = field(default_factory=list)
    mails: list[Message] = field(default_factory=list)
    refused_logins: int = 0
    port: int = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - its own name
        if self.answers:
            return self.answers.pop(0)
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 taken"

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (LOGIN.encode(), PASSWORD.encode())
        self.refused_logins += not right
        return AuthResult(success=right, handled=False)


def certified(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A throw-away authority's certificate in `folder`, and a server's side that it vouches for."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return folder / "ca.pem", context


@contextmanager
def mail_server(folder: Path, *answers: str, implicit: bool = False, clear: bool = False) -> Iterator[MailServer]:
    """A mail server that runs while the context lasts; its certificate is made here and thrown away with `folder`.

    `clear` neither encrypts nor wants a login.
    """
    ca_file, context = certified(folder)
    made = MailServer(ca_file, list(answers), port=free_port())
    way: dict[str, Any] = {"ssl_context": context} if implicit else {"tls_context": context, "require_starttls": True}
    if clear:
        way = {}
    controller = Controller(
        made,
        hostname="127.0.0.1",
        port=made.port,
        authenticator=made.authenticate,
        auth_required=not clear,
        auth_require_tls=not (implicit or clear),  # it does not count a connection that was encrypted from the start
        **way,
    )
    controller.start()
    try:
        yield made
    finally:
        controller.stop()


@contextmanager
def hanging() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def free_port() -> int:
    """A port nobody listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
