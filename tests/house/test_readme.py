"""The README's first look is what its command prints."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

BLOCK = re.compile(r"```console\n\$ recontool (?P<arguments>[^\n]+)\n(?P<shown>.*?)\n```", re.DOTALL)


def test_first_look_prints_what_the_readme_shows(root):
    block = BLOCK.search((root / "README.md").read_text("utf-8"))
    recontool = Path(sys.executable).with_name("recontool")
    plain = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "PYTHONUTF8": "1"}
    done = subprocess.run(
        [recontool, *shlex.split(block["arguments"])],
        cwd=root,
        env=plain,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip() == block["shown"], "write it anew with: make docs"


def test_first_look_fits_a_screen(root):
    shown = BLOCK.search((root / "README.md").read_text("utf-8"))["shown"].splitlines()
    assert len(shown) <= 25
    assert max(map(len, shown)) <= 80
