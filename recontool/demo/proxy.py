"""A TCP relay on loopback that can fall silent without closing anything: the half-open link of real networks."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self


class FaultProxy:
    """Forwards connections from `port` to `target` until `cut`, and again after `heal`.

    Bytes are held back meanwhile, as TCP holds them: dropping some would tear a stream that goes on later.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._through = threading.Event()
        self._through.set()
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self._through.set()  # threads that hold bytes back may end
        for one in self._sockets:
            one.close()

    def cut(self) -> None:
        """Keep every connection open and let nothing through, in either direction."""
        self._through.clear()

    def heal(self) -> None:
        """Let bytes through again."""
        self._through.set()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._target), timeout=5)
        except OSError:  # nobody listens: what the worker sees is a closed connection
            client.close()
            return
        server.settimeout(None)
        self._sockets.append(server)
        back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
        back.start()
        self._pump(client, server)
        back.join()
        client.close()
        server.close()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):  # one side is gone, so the other goes, too
            while data := source.recv(65536):
                self._through.wait()
                sink.sendall(data)
            self._through.wait()  # a dead link hides the end of a connection, too
        with suppress(OSError):  # it may be closed already
            sink.shutdown(socket.SHUT_WR)
