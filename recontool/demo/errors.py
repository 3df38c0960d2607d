"""Why a demo could not be brought to its end."""

from typing import ClassVar

from recontool.model.errors import ReconError


class DemoError(ReconError):
    """The fleet did not do what the next fault needs."""

    slug: ClassVar[str] = "demo"
    exit_status: ClassVar[int] = 1
