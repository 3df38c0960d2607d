"""Writes the sample logs and truth.json: `python sample_logs/make.py --seed 7`.

Same seed, same bytes. truth.json comes from the books the simulated processes keep, not from reading the logs.
"""

import argparse
import json
from pathlib import Path

from fleet import debug, fleet
from untagged import untagged

HERE = Path(__file__).parent


def main() -> None:
    """Write every sample below `--into`."""
    parser = argparse.ArgumentParser(description="Write the sample logs and their truth.")
    parser.add_argument("--seed", type=int, default=7, help="seed of all chance; the committed samples are seed 7")
    parser.add_argument("--into", type=Path, default=HERE, help="folder to write to; the committed one by default")
    options = parser.parse_args()
    stories = [fleet(options.seed), debug(options.seed), untagged(options.seed)]
    for story in stories:
        for name, text in story.logs.items():
            path = options.into / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
    truth = {
        "seed": options.seed,
        "files": {name: entry for story in stories for name, entry in story.files.items()},
        "faults": [fault for story in stories for fault in story.faults],
    }
    (options.into / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
