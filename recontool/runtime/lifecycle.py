"""The life of a worker's session as a table: state and stimulus to the next state.

A state machine is its table: tests walk every pair, and what is not listed is refused.
"""

from enum import Enum
from typing import Final

State = Enum("State", "NEW WAITING DIALING AUTHENTICATING SYNCING ONLINE DRAINING STOPPED")
Saw = Enum(
    "Saw",
    "START DUE BEAT OPENED UNREACHABLE CHALLENGED WELCOMED REFUSED SYNCED HEARD DROPPED FORCED LEAVE",
)

UP: Final = frozenset({State.SYNCING, State.ONLINE, State.DRAINING})
NEXT: Final[dict[tuple[State, Saw], State]] = {
    (State.NEW, Saw.START): State.DIALING,
    (State.NEW, Saw.LEAVE): State.STOPPED,
    (State.WAITING, Saw.DUE): State.DIALING,
    (State.WAITING, Saw.LEAVE): State.STOPPED,
    (State.DIALING, Saw.OPENED): State.AUTHENTICATING,
    (State.DIALING, Saw.UNREACHABLE): State.WAITING,
    (State.DIALING, Saw.DUE): State.WAITING,
    (State.DIALING, Saw.LEAVE): State.STOPPED,
    (State.AUTHENTICATING, Saw.CHALLENGED): State.AUTHENTICATING,
    (State.AUTHENTICATING, Saw.WELCOMED): State.SYNCING,
    (State.AUTHENTICATING, Saw.REFUSED): State.WAITING,
    (State.AUTHENTICATING, Saw.DUE): State.WAITING,
    (State.AUTHENTICATING, Saw.DROPPED): State.WAITING,
    (State.AUTHENTICATING, Saw.LEAVE): State.STOPPED,
    (State.SYNCING, Saw.SYNCED): State.ONLINE,
    (State.SYNCING, Saw.HEARD): State.SYNCING,
    (State.SYNCING, Saw.BEAT): State.SYNCING,
    (State.SYNCING, Saw.DUE): State.WAITING,
    (State.SYNCING, Saw.DROPPED): State.WAITING,
    (State.SYNCING, Saw.FORCED): State.WAITING,
    (State.SYNCING, Saw.LEAVE): State.DRAINING,
    (State.ONLINE, Saw.HEARD): State.ONLINE,
    (State.ONLINE, Saw.BEAT): State.ONLINE,
    (State.ONLINE, Saw.DUE): State.WAITING,
    (State.ONLINE, Saw.DROPPED): State.WAITING,
    (State.ONLINE, Saw.FORCED): State.WAITING,
    (State.ONLINE, Saw.LEAVE): State.DRAINING,
    (State.DRAINING, Saw.SYNCED): State.DRAINING,
    (State.DRAINING, Saw.HEARD): State.DRAINING,
    (State.DRAINING, Saw.BEAT): State.DRAINING,
    (State.DRAINING, Saw.DUE): State.STOPPED,
    (State.DRAINING, Saw.DROPPED): State.STOPPED,
}
