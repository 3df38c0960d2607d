"""`python -m recontool`, and the `recontool` command."""

import gc
from typing import NoReturn

# What a command loads stays until it ends: looking through it for garbage takes a tenth of a short run, and is
# seldom needed in a long one.
gc.set_threshold(100_000)


def main() -> NoReturn:
    """Run the command line."""
    from recontool.cli import main as command

    try:
        command()
    finally:
        gc.freeze()  # the interpreter looks through it at its end, too


if __name__ == "__main__":
    main()
