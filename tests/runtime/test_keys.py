"""Keys are written once, private, and proved without being shown."""

import stat
import threading

import pytest

from recontool.model.errors import UsageError
from recontool.runtime import keys
from recontool.runtime.keys import Handshake


def test_a_first_start_writes_two_private_keys_and_later_ones_read_them(tmp_path):
    first = keys.load_or_create(tmp_path / "data")
    assert keys.load_or_create(tmp_path / "data") == first
    assert first.operator != first.worker
    assert stat.S_IMODE((tmp_path / "data" / "keys.json").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["keys.json"]


def test_processes_that_start_together_agree(tmp_path):
    found = []
    threads = [threading.Thread(target=lambda: found.append(keys.load_or_create(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"operator": "x"}', "null"])
def test_a_file_without_two_keys_is_refused(tmp_path, text):
    (tmp_path / "keys.json").write_text(text)
    with pytest.raises(UsageError, match=r"keys\.json: expected an object"):
        keys.load_or_create(tmp_path)


def test_a_client_takes_the_given_key_then_the_environment_then_the_file(tmp_path):
    kept = keys.load_or_create(tmp_path)
    environment = {keys.ENVIRONMENT: "from-environment"}
    assert keys.client_key("worker", "given", environment, tmp_path) == "given"
    assert keys.client_key("worker", None, environment, tmp_path) == "from-environment"
    assert keys.client_key("worker", None, {}, tmp_path) == kept.worker
    assert keys.client_key("operator", None, {}, tmp_path) == kept.operator


def test_every_part_of_the_handshake_changes_proof_and_session_key():
    base = Handshake("worker", "w-1", b"server", b"client")
    others = [
        Handshake("operator", "w-1", b"server", b"client"),
        Handshake("worker", "w-2", b"server", b"client"),
        Handshake("worker", "w-1", b"server2", b"client"),
        Handshake("worker", "w-1", b"serve", b"rclient"),
    ]
    made = [*(h.proof("k") for h in (base, *others)), *(h.session_key("k") for h in (base, *others)), base.proof("l")]
    assert len(set(made)) == len(made)
    assert b"k" * 10 not in base.proof("k" * 10)
