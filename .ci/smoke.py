"""What somebody sees who has only the package: run by a Python that has nothing but it, in a temporary folder.

`python .ci/smoke.py README.md` runs the README's Python blocks, then the command's doctor.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

FENCE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def main() -> None:
    readme = Path(sys.argv[1]).read_text(encoding="utf-8")
    absent = [name for name in ("torch", "transformers", "datasets", "sklearn", "pytest") if importlib.util.find_spec(name)]
    if absent:
        sys.exit(f"Expected an environment with the package alone, found {absent} in it.")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        namespace: dict[str, object] = {"__name__": "__main__"}
        for block in FENCE.findall(readme):
            exec(block, namespace)
        where = Path(str(sys.modules["loss_widget"].__file__))
        if not where.is_relative_to(sys.prefix):
            sys.exit(f"Expected the installed package, found {where}.")
        subprocess.run([Path(sys.executable).with_name("loss-widget"), "doctor"], check=True)
        namespace["widget"].close()  # type: ignore[attr-defined]  # Windows removes no open file
        os.chdir(where.anchor)


if __name__ == "__main__":
    main()
