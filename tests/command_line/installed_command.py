"""The command that is installed beside this Python, and what its tests read."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SCRIPT = Path(sys.executable).parent / ("loss-widget.exe" if sys.platform == "win32" else "loss-widget")

Run = Callable[..., subprocess.CompletedProcess[str]]
