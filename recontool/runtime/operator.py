"""The operator's side of the protocol: submit tasks, see what became of them.

Each call opens a connection, proves the operator's key, asks one question and leaves.
"""

import asyncio
import os
from typing import Final

from msgspec import Struct

from recontool.model.errors import ReconError
from recontool.runtime import keys
from recontool.runtime.http import WEBSOCKET_PATH
from recontool.runtime.messages import (
    Ack,
    Challenge,
    Hello,
    Json,
    ListTasks,
    Message,
    Refuse,
    Rejected,
    Submit,
    Submitted,
    TaskList,
    TaskRow,
    Welcome,
)
from recontool.runtime.protocol import Channel, WireError
from recontool.runtime.transport import ClosedError, DialError, Socket, dial

NAME: Final = "operator"
_LEVEL: Final = 6
_MIN_COMPRESS: Final = 1024
_CLOSE_NORMAL: Final = 1000


class OperatorError(ReconError):
    """The coordinator cannot be reached, refuses the key or rejects the request."""

    slug = "operator"


class Address(Struct, frozen=True):
    """Where the coordinator is, and the key that opens it."""

    host: str
    port: int
    key: str
    timeout_s: float = 10.0

    @property
    def url(self) -> str:
        """What is dialled."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ws://{host}:{self.port}{WEBSOCKET_PATH}"


async def submit(address: Address, tasks: list[dict[str, Json]]) -> list[str]:
    """Hand over tasks; their ids in the same order, once they are durable.

    Raises:
        OperatorError: they were not taken.
    """
    answer = await _ask(address, Submit(tasks))
    if not isinstance(answer, Submitted):
        raise OperatorError(f"unexpected answer {type(answer).__name__}", where=address.url)
    return answer.tasks


async def list_tasks(address: Address) -> list[TaskRow]:
    """Every task of the coordinator in order of submission.

    Raises:
        OperatorError: the coordinator does not answer.
    """
    answer = await _ask(address, ListTasks())
    if not isinstance(answer, TaskList):
        raise OperatorError(f"unexpected answer {type(answer).__name__}", where=address.url)
    return answer.tasks


async def _ask(address: Address, question: Message) -> Message:
    try:
        async with asyncio.timeout(address.timeout_s):
            socket = await dial(address.url, address.timeout_s)
            try:
                return await _converse(socket, address, question)
            finally:
                await socket.close(_CLOSE_NORMAL, "")
    except (DialError, ClosedError, WireError, TimeoutError) as error:
        reason = str(error) or f"no answer within {address.timeout_s:g} s"
        raise OperatorError(reason, where=address.url, hint="is the coordinator running there?") from None


async def _converse(socket: Socket, address: Address, question: Message) -> Message:
    channel = Channel("client", _LEVEL, _MIN_COMPRESS, lambda _marker, _name, _fields: None)
    challenge, _, _ = channel.open(await socket.receive())
    if not isinstance(challenge, Challenge):
        raise OperatorError("no coordinator answers", where=address.url)
    nonce = os.urandom(keys.NONCE_BYTES)
    handshake = keys.Handshake("operator", NAME, challenge.nonce, nonce)
    await socket.send(channel.seal(Hello("operator", NAME, nonce, handshake.proof(address.key))).data)
    channel.secure(handshake.session_key(address.key))
    asked = False
    while True:
        message, seq, _ = channel.open(await socket.receive())
        match message:
            case Welcome() if not asked:
                asked = True
                await socket.send(channel.seal(question).data)
            case Refuse(reason) | Rejected(reason):
                raise OperatorError(f"the coordinator refuses: {reason}", where=address.url)
            case Ack():
                continue
            case _:
                await socket.send(channel.seal(Ack(seq)).data)
                return message
