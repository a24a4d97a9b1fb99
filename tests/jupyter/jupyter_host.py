"""A real JupyterLab or Notebook 7 server on loopback, quiet and in a folder of its own."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

KERNELS = Path(sys.prefix) / "kernels"
"""Other versions of ipykernel, each in a folder of its own (`make` installs them): "ipykernel-6.31.0", …"""

MODULES = {"lab": "jupyterlab", "notebook": "notebook"}
CLASSES = {"lab": "LabApp", "notebook": "JupyterNotebookApp"}
PAGES = {"lab": "doc/tree", "notebook": "notebooks"}


class JupyterHost:
    """A server running `app` ("lab" or "notebook") over the files in `root`, with further `options`; a context manager."""

    def __init__(self, app: str, root: Path, *options: str) -> None:
        self.app = app
        self._options = options
        self.root = root
        self._home = root / ".home"
        self._token = secrets.token_hex(16)
        self._log = root / "server.log"

    def __enter__(self) -> JupyterHost:
        # Lab would open a dialogue about its news.
        settings = self._home / "lab-settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
        for folder in sorted(KERNELS.glob("ipykernel-*")):
            _add_kernel(folder.name, folder, self._home / "data" / "kernels")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command(), env=self._environment(), stdout=log, stderr=log, start_new_session=True
            )
        self._wait_until_up()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end_kernels()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def url(self, notebook: str) -> str:
        """The address of a notebook's own page (`notebook`: path below `root`)."""
        return f"http://127.0.0.1:{self._port}/{PAGES[self.app]}/{notebook}?token={self._token}"

    def kernel_of(self, notebook: Path) -> str:
        """The id of the kernel that runs a notebook (`notebook`: path below `root`)."""
        [kernel] = [s["kernel"]["id"] for s in self._api("/api/sessions") if s["path"] == notebook.as_posix()]
        return str(kernel)

    def end_kernels(self) -> None:
        with contextlib.suppress(OSError):
            for session in self._api("/api/sessions"):
                self._api(f"/api/sessions/{session['id']}", "DELETE")

    def _command(self) -> list[str]:
        return [
            sys.executable,
            "-m",
            MODULES[self.app],
            "--no-browser",
            "--allow-root",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={self._port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={self._token}",
            f"--ServerApp.root_dir={self.root}",
            "--ServerApp.terminals_enabled=False",
            f"--{CLASSES[self.app]}.expose_app_in_browser=True",
            # Otherwise the page asks the network for news, updates and extensions.
            "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--LabApp.extension_manager=readonly",
            *self._options,
        ]

    def _environment(self) -> dict[str, str]:
        folders = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "lab-settings",
            "JUPYTERLAB_WORKSPACES_DIR": "lab-workspaces",
            "IPYTHONDIR": "ipython",
        }
        own = {name: str(self._home / folder) for name, folder in folders.items()}
        return os.environ | own | {"JUPYTER_PLATFORM_DIRS": "1"}

    def _wait_until_up(self) -> None:
        end = time.monotonic() + 60
        while True:
            try:
                self._api("/api/status")
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > end:
                    self._process.kill()
                    raise RuntimeError(f"{self.app} did not come up:\n{self._log.read_text(errors='replace')}") from None
                time.sleep(0.1)

    def _api(self, path: str, method: str = "GET") -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}{path}",
            method=method,
            headers={"Authorization": f"token {self._token}"},
        )
        with urllib.request.urlopen(request, timeout=10) as reply:
            body = reply.read()
        return json.loads(body) if body else None


def python_path(packages: Path) -> str:
    """For a kernel that finds `packages` before this interpreter's own."""
    return os.pathsep.join(filter(None, (str(packages), os.environ.get("PYTHONPATH"))))


def _add_kernel(name: str, packages: Path, specs: Path) -> None:
    """A kernel of that name: this interpreter, with `packages` before its own."""
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": name,
        "language": "python",
        "env": {"PYTHONPATH": python_path(packages)},
    }
    (specs / name).mkdir(parents=True)
    (specs / name / "kernel.json").write_text(json.dumps(spec))
