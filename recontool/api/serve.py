"""Runs a coordinator with its live page: the page is the report's, the port is the runtime's."""

from recontool.runtime import coordinator
from recontool.runtime.config import Options


def run_coordinator(options: Options) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        UsageError: keys, journal or address cannot be used.
    """
    from recontool.report.dashboard.page import LivePage

    coordinator.main(options, LivePage())
