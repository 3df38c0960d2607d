"""Compares the compiled core with the reference on seeded text near the grammar: `python tests/kernel/fuzz.py --cases 1000000`."""

import argparse
import random
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))

import near
from twins import by_core, by_reference

from recontool.kernel.fleet import core
from recontool.logs.format import builtin

FORMS = ((builtin()["tagged-v1"], near.tagged, ""), (builtin()["ipfs-accelerate"], near.untagged, "w1"))


def difference(seed: int) -> str:
    """ "" when both find the same in the text of this seed, else what to look at."""
    rng = random.Random(seed)
    form, make, source = FORMS[rng.random() < 0.35]
    if source and rng.random() < 0.2:
        source = "coordinator"
    files = [make(rng, rng.choice((3, 12, 40))) for _ in range(rng.choice((1, 1, 1, 2)))]
    pieces = [near.cuts(rng, text) for text in files]
    core().recon_width(rng.choice((0, 1, 2, 2)))  # with and without what the processor has beyond plain C
    expected = by_reference(files, form, source)
    found = by_core(pieces, form, source, resume=rng.random() < 0.1)
    if expected == found:
        return ""
    return f"seed {seed}\nfiles {files!r}\npieces {pieces!r}\nreference {expected}\ncore      {found}"


def main() -> int:
    """Run the cases; the first difference ends it."""
    parser = argparse.ArgumentParser(description="Look for a difference between the compiled core and the reference.")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0, help="number of the first case")
    wanted = parser.parse_args()
    for number in range(wanted.seed, wanted.seed + wanted.cases):
        found = difference(number)
        if found:
            print(found)
            return 1
        if number % 10_000 == 0:
            print(f"{number - wanted.seed:,} cases, no difference", file=sys.stderr)
    print(f"{wanted.cases:,} cases from {wanted.seed}: 0 differences")
    return 0


if __name__ == "__main__":
    sys.exit(main())
