"""The live page and the coordinator's process: where it is said to be, and that it ends with the coordinator."""

import json
import os
import pty
import subprocess
import sys

import pytest
from processes import FAST, Fleet, end, wait_for
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect


def test_on_a_terminal_the_address_is_printed_and_where_the_key_stands_but_not_the_key(tmp_path):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "recontool", "run-coordinator", "--port", "0", "--data-dir", str(tmp_path), *FAST]
    process = subprocess.Popen(command, stderr=theirs)
    os.close(theirs)
    try:
        said = b""
        while b"operator key" not in said:
            said += os.read(ours, 4096)
        port = (tmp_path / "coordinator.port").read_text().strip()
        assert f"dashboard  http://localhost:{port}/dashboard  (operator key: {tmp_path}/keys.json)" in said.decode()
        assert json.loads((tmp_path / "keys.json").read_text())["operator"] not in said.decode()
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_an_open_page_does_not_keep_a_coordinator_from_ending(tmp_path):
    with Fleet(tmp_path / "data") as crew:
        coordinator = crew.coordinator()
        url = f"127.0.0.1:{crew.port}"
        page = connect(f"ws://{url}/dashboard/live", origin=f"http://{url}", compression=None, legacy=True)
        page.send(json.dumps({"key": crew.key("operator")}))
        assert json.loads(page.recv())["kind"] == "welcome"
        waiting = connect(f"ws://{url}/dashboard/live", origin=f"http://{url}", compression=None, legacy=True)
        assert wait_for("an update", page.recv)
        assert end(coordinator) == 0
        for socket in (page, waiting):
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv()
            assert closed.value.rcvd.code == 1012
