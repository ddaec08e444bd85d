"""The only door to OpenVINO: it is imported so that it cannot report to its maker.

`import openvino` sends a usage event through the package openvino-telemetry unless a file in the home folder says
otherwise, and converting a model sends more. openvino.tools.ovc falls back to its own silent stub where that package
cannot be imported, so it is made unimportable; nothing is written to anybody's home folder.
"""

from __future__ import annotations

import sys
from typing import Any

REPORTER = "openvino_telemetry"


class TelemetryLoaded(RuntimeError):
    """Something imported OpenVINO's reporter before Roost could keep it out."""


def import_openvino() -> Any:
    """The module openvino. Raises TelemetryLoaded if its reporter already runs in this process."""
    if sys.modules.setdefault(REPORTER, None) is not None:  # type: ignore[arg-type]
        raise TelemetryLoaded(f"{REPORTER} is already imported; import openvino only through {__name__}")
    import openvino

    return openvino
