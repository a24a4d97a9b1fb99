"""`kill -9` of a kernel, whatever other kernels and cells did with the journal: every decision that was answered is there."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from kernel import Kernel

OPEN = """
import pandas as pd, loss_widget as lw
widget = lw.LossWidget(pd.DataFrame({"text": [f"row {i}" for i in range(150)], "label": ["no", "yes"] * 75, "loss": 1.0}))
"""
LOOK = "print(widget.summary()['keep'])"

ANOTHER = "pd.DataFrame({'text': ['another'], 'label': ['no'], 'loss': [1.0]})"

IN_THE_SAME_KERNEL = [
    "",
    OPEN,
    f"lw.LossWidget({ANOTHER})",
    "lw.ReviewSession(widget.df, journal=widget.session.journal, read_only=True)",
    "lw.apply_changes(widget.df, widget.session.journal)",
    "import shutil; shutil.copy(widget.session.journal, 'copy.sqlite')",
    "import hashlib; hashlib.sha256(widget.session.journal.read_bytes())",
]
IN_THE_OTHER_KERNEL = [
    f"lw.LossWidget({ANOTHER})",
    f"lw.ReviewSession({ANOTHER}, journal=path, read_only=True)",
    "import sqlite3; db = sqlite3.connect(path); db.execute('SELECT count(*) FROM decided').fetchone(); db.close()",
]


@pytest.mark.timeout(600)
def test_what_a_killed_kernel_had_answered_is_there_whatever_other_cells_and_kernels_did(tmp_path: Path) -> None:
    with Kernel(tmp_path) as first, Kernel(tmp_path) as other:
        kept = 0
        first.ask(OPEN)
        other.ask("import glob, pandas as pd, loss_widget as lw")
        for here, there in itertools.product(IN_THE_SAME_KERNEL, IN_THE_OTHER_KERNEL):
            first.ask(f"widget.keep({kept})")
            first.ask(here)
            other.ask(f"[path] = glob.glob('.loss_widget/*.sqlite')\n{there}")
            first.ask(f"for row in range({kept + 1}, {kept + 5}): widget.keep(row)")
            kept += 5
        first.kill()
        assert other.ask(f"{OPEN}\n{LOOK}") == str(kept)
