"""Compares the compiled core with the reference on seeded text near the grammar: `python tests/kernel/fuzz.py --cases 1000000`."""

import argparse
import io
import random
import sys
from collections.abc import Callable, Sequence
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))

import near
import near_pairs
import near_prefixes
import near_runs
from twins import by_core, by_reference

from recontool.kernel.fleet import core
from recontool.kernel.prefixes import Unwrapper
from recontool.logs.format import Format, builtin
from recontool.logs.prefix import unwrap

PREFIXED = 3  # of so many cases one is also tried behind prefixes
Form = tuple[Format, Callable[[random.Random, int], bytes], str, int]

# A format, what writes near it, whose file it is, how often it is drawn.
FORMS: tuple[Form, ...] = (
    (builtin()["tagged-v1"], near.tagged, "", 6),
    (builtin()["tagged-v1"], near_runs.tagged, "", 3),
    (builtin()["ipfs-accelerate"], near.untagged, "w1", 4),
    (builtin()["ipfs-accelerate"], near_runs.untagged, "w1", 3),
    (near_runs.OWN, near_runs.own, "w1", 2),
    (builtin()["json-lines"], near_pairs.json_lines, "w1", 6),
    (builtin()["logfmt"], near_pairs.logfmt, "w1", 4),
)


def difference(seed: int, wanted: Sequence[Form] = FORMS) -> str:
    """ "" when both find the same in the text of this seed, else what to look at."""
    rng = random.Random(seed)
    ((form, make, source, _),) = rng.choices(wanted, [often for *_, often in wanted])
    zone = ZoneInfo(rng.choice(near_pairs.ZONES)) if rng.random() < 0.3 else UTC
    if source and rng.random() < 0.2:
        source = "coordinator"
    files = [make(rng, rng.choice((3, 12, 40))) for _ in range(rng.choice((1, 1, 1, 2)))]
    pieces = [near.cuts(rng, text) for text in files]
    core().recon_width(rng.choice((0, 1, 2, 2)))  # with and without what the processor has beyond plain C
    expected = by_reference(files, form, source, zone)
    found = by_core(pieces, form, source, zone, resume=rng.random() < 0.1)
    if expected == found:
        return ""
    return (
        f"seed {seed} {form.name} {zone}\nfiles {files!r}\npieces {pieces!r}\nreference {expected}\ncore      {found}"
    )


def prefix_difference(seed: int) -> str:
    """As `difference`, of what is left of lines when their prefix is taken off."""
    rng = random.Random(seed)
    ((_, make, _, _),) = rng.choices(FORMS)
    name, text = near_prefixes.prefixed(rng, make(rng, rng.choice((3, 12, 40))))
    prefix, pieces = near_prefixes.BY_NAME[name], near.cuts(rng, text)
    expected = b"".join(one.rstrip(b"\n") + b"\n" for one in unwrap(prefix, io.BytesIO(text)))
    unwrapper = Unwrapper(prefix)
    found = b"".join(unwrapper.take(piece) for piece in pieces) + unwrapper.rest()
    if expected == found:
        return ""
    return f"seed {seed} {name}\npieces {pieces!r}\nreference {expected!r}\ncore      {found!r}"


def main() -> int:
    """Run the cases; the first difference ends it."""
    parser = argparse.ArgumentParser(description="Look for a difference between the compiled core and the reference.")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0, help="number of the first case")
    parser.add_argument("--format", action="append", help="of this format only; may be repeated")
    wanted = parser.parse_args()
    forms = [form for form in FORMS if not wanted.format or form[0].name in wanted.format]
    for number in range(wanted.seed, wanted.seed + wanted.cases):
        found = difference(number, forms) or (number % PREFIXED == 0 and prefix_difference(number)) or ""
        if found:
            print(found)
            return 1
        if number % 10_000 == 0:
            print(f"{number - wanted.seed:,} cases, no difference", file=sys.stderr)
    print(f"{wanted.cases:,} cases from {wanted.seed}: 0 differences")
    return 0


if __name__ == "__main__":
    sys.exit(main())
