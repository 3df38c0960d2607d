"""`python -m recontool`, and the `recontool` command."""

from recontool.cli import main

if __name__ == "__main__":
    main()
