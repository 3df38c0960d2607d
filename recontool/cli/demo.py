"""`recontool demo`: a real fleet through real faults, then the report that must find them."""

import typer


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
