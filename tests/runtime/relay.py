"""A TCP relay that can stop forwarding without closing anything: a half-open link."""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self


class Relay:
    """Forwards connections from `port` to `target` until `cut`; after `heal`, new ones are forwarded again."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open = threading.Event()
        self._open.set()
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        for one in self._sockets:
            one.close()

    def cut(self) -> None:
        """Keep every connection open and forward nothing more."""
        self._open.clear()

    def heal(self) -> None:
        """Forward again; what was lost in between stays lost for connections that were open."""
        self._open.set()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed by __exit__
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._sockets += [client, server]
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):  # one side is gone, so the other goes
            while data := source.recv(65536):
                self._open.wait()
                sink.sendall(data)
            self._open.wait()
            sink.shutdown(socket.SHUT_WR)
