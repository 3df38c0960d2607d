"""Who may see the dashboard: the operator's key opens a session, a signed token goes on with it. No clock, no I/O.

Tokens are signed with a key made from the operator's: they outlive a restart of the coordinator, and a new operator
key ends them all. Nothing is stored.
"""

import hmac
import secrets
from collections import deque
from typing import Final

from msgspec import Struct

from recontool.runtime import keys

SESSION_S: Final = 12 * 3600
MOST_TRIES: Final = 5  # wrong ones of one address within WINDOW_S
MOST_TRIES_OF_ALL: Final = 60  # likewise of all addresses together
WINDOW_S: Final = 60.0
_NONCE_BYTES: Final = 12


class Session(Struct, frozen=True):
    """A way in, until `expires_s` (Unix time)."""

    token: str
    expires_s: int


class Refusal(Struct, frozen=True):
    """No way in. `reason` is for the person, `event` for the log; without one there is nothing to log."""

    reason: str
    event: str = ""


class Door:
    """Checks keys and tokens, the former only so often.

    Args:
        key: the operator's.
    """

    def __init__(self, key: str) -> None:
        self._key = key
        self._secret = hmac.digest(key.encode(), b"recontool dashboard session", "sha256")
        self._wrong: deque[tuple[float, str]] = deque(maxlen=MOST_TRIES_OF_ALL)
        self._told: set[str] = set()

    def by_key(self, given: str, address: str, now_s: float, clock_s: float) -> Session | Refusal:
        """Open a session for `given`; `now_s` is monotonic, `clock_s` Unix time."""
        wait_s = self._must_wait(address, now_s)
        if wait_s > 0:
            said = address in self._told
            if len(self._told) >= MOST_TRIES_OF_ALL:
                self._told.clear()
            self._told.add(address)
            reason = f"Too many wrong keys. Try again in {wait_s:.0f} s."
            return Refusal(reason, "" if said else "dashboard: too many wrong keys")
        self._told.discard(address)
        if not keys.same(_bytes(given), self._key.encode()):
            self._wrong.append((now_s, address))
            return Refusal("This is not the operator key.", "dashboard: wrong key")
        return self._session(int(clock_s) + SESSION_S)

    def by_token(self, token: str, clock_s: float) -> Session | Refusal:
        """Go on with a session."""
        stated, _, rest = token.partition(".")
        nonce, _, _ = rest.partition(".")
        if not stated.isascii() or not stated.isdigit() or len(stated) > len(str(2**53)):
            return Refusal("Your session cannot be read. Sign in again.", "dashboard: damaged session")
        expected = self._signed(int(stated), nonce)
        if not keys.same(_bytes(token), _bytes(expected)):
            return Refusal("The operator key has changed. Sign in again.", "dashboard: session of another key")
        if clock_s >= int(stated):
            return Refusal("Your session has ended after twelve hours. Sign in again.")
        return Session(token, int(stated))

    def _session(self, expires_s: int) -> Session:
        return Session(self._signed(expires_s, secrets.token_urlsafe(_NONCE_BYTES)), expires_s)

    def _signed(self, expires_s: int, nonce: str) -> str:
        signature = hmac.digest(self._secret, _bytes(f"{expires_s}.{nonce}"), "sha256").hex()
        return f"{expires_s}.{nonce}.{signature}"

    def _must_wait(self, address: str, now_s: float) -> float:
        while self._wrong and self._wrong[0][0] <= now_s - WINDOW_S:
            self._told.discard(self._wrong.popleft()[1])
        own = [at_s for at_s, whose in self._wrong if whose == address]
        if len(own) >= MOST_TRIES:
            return own[-MOST_TRIES] + WINDOW_S - now_s
        return self._wrong[0][0] + WINDOW_S - now_s if len(self._wrong) >= MOST_TRIES_OF_ALL else 0.0


def _bytes(text: str) -> bytes:
    """JSON may hold half a character, which plain UTF-8 refuses."""
    return text.encode("utf-8", "surrogatepass")
