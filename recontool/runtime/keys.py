"""Who may speak: the two keys, where they come from, and the proof that never shows them.

A first start writes DATA/keys.json. A client takes the key it was given, else RECONTOOL_API_KEY, else
that file, so that coordinator and worker connect without any set-up on one machine.
"""

import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from recontool.model.errors import UsageError
from recontool.runtime.messages import Role

ENVIRONMENT: Final = "RECONTOOL_API_KEY"
NONCE_BYTES: Final = 16
_KEY_BYTES: Final = 24


class Keys(Struct, frozen=True):
    """The operator's key and the one all workers share."""

    operator: str
    worker: str

    def of(self, role: Role) -> str:
        """The key that proves `role`."""
        return self.operator if role == "operator" else self.worker


def load_or_create(data_dir: Path) -> Keys:
    """The keys of DATA/keys.json, written with mode 0600 when there are none yet.

    Raises:
        UsageError: the file exists and holds no two keys.
    """
    path = data_dir / "keys.json"
    if not path.exists():
        _create(path)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Keys(operator=str(found["operator"]), worker=str(found["worker"]))
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"expected an object with the keys operator and worker ({error!r})",
            where=str(path),
            hint="remove the file to have new keys written",
        ) from None


def client_key(role: Role, given: str | None, environment: Mapping[str, str], data_dir: Path) -> str:
    """The key a client of `role` proves: given, else from the environment, else DATA/keys.json."""
    return given or environment.get(ENVIRONMENT) or load_or_create(data_dir).of(role)


class Handshake(Struct, frozen=True):
    """What both ends of a connection have seen of each other; the nonces make it unique."""

    role: Role
    name: str
    server_nonce: bytes
    client_nonce: bytes

    def proof(self, key: str) -> bytes:
        """What only a holder of `key` can answer to the server's nonce."""
        return self._digest(key, b"proof")

    def session_key(self, key: str) -> bytes:
        """The key that signs every later frame of this connection."""
        return self._digest(key, b"session")

    def _digest(self, key: str, purpose: bytes) -> bytes:
        parts = (purpose, self.role.encode(), self.name.encode(), self.server_nonce, self.client_nonce)
        # Lengths in front: no two lists of parts may spell the same bytes.
        text = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.digest(key.encode(), text, "sha256")


def same(given: bytes, expected: bytes) -> bool:
    """Whether two proofs are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(given, expected)


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    keys = {"operator": secrets.token_urlsafe(_KEY_BYTES), "worker": secrets.token_urlsafe(_KEY_BYTES)}
    handle, name = tempfile.mkstemp(prefix=".keys-", dir=path.parent)  # mkstemp makes it 0600
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(keys, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        # link, not rename: of coordinator and worker starting together one wins, and both read its keys.
        path.hardlink_to(temporary)
    except FileExistsError:
        return
    finally:
        temporary.unlink()
