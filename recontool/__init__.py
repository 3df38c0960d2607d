"""Turns what a reconnecting worker fleet leaves behind into answers.

`recontool.load("logs/")` gives a `Run` with outages, events, metrics and alerts as pandas DataFrames;
`recontool.compare("old/", "new/")` says what differs between two runs beyond chance;
`recontool.backtest("logs/", rules="rules.yaml")` tells which alerts would have fired.
"""

from __future__ import annotations

from importlib import import_module

# What a type checker knows as true; to load `typing` takes longer than to summarise a short log.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from recontool.api.compared import Compared, compare
    from recontool.api.replay import backtest
    from recontool.api.run import Run, load
    from recontool.api.summary import Summary, summary
    from recontool.model.errors import ReconError
    from recontool.runtime.plugin import EnhancedWorkerReconnectionPlugin

__all__ = [
    "Compared",
    "EnhancedWorkerReconnectionPlugin",
    "ReconError",
    "Run",
    "Summary",
    "backtest",
    "compare",
    "load",
    "summary",
]

_HOME = {
    "Compared": "recontool.api.compared",
    "EnhancedWorkerReconnectionPlugin": "recontool.runtime.plugin",
    "ReconError": "recontool.model.errors",
    "Run": "recontool.api.run",
    "Summary": "recontool.api.summary",
    "backtest": "recontool.api.replay",
    "compare": "recontool.api.compared",
    "load": "recontool.api.run",
    "summary": "recontool.api.summary",
}


def __getattr__(name: str) -> Any:
    """Load public names when they are first used: pandas must not slow down `recontool --help`."""
    if name not in _HOME:
        raise AttributeError(f"module 'recontool' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
