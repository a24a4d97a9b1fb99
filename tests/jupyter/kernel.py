"""A real kernel without a page: cells as their requests, their outputs and errors as messages."""

from __future__ import annotations

import os
import queue
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from jupyter_client import KernelManager
from jupyter_host import python_path


class Kernel:
    """ipykernel in `folder`, with `packages` before this interpreter's own; a context manager."""

    def __init__(self, folder: Path, packages: Path | None = None) -> None:
        self._manager = KernelManager(kernel_name="python3")
        self._folder = folder
        self._environment = os.environ | ({"PYTHONPATH": python_path(packages)} if packages else {})

    def __enter__(self) -> Kernel:
        self._manager.start_kernel(cwd=str(self._folder), env=self._environment)
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)

    def start(self, source: str) -> str:
        """Send a cell; the id that its messages carry."""
        return str(self._client.execute(source))

    def send(self, comm: str, content: dict[str, Any]) -> None:
        """What a widget's `model.send(content)` does, by the id of its comm."""
        data = {"method": "custom", "content": content}
        message = self._client.session.msg("comm_msg", {"comm_id": comm, "data": data})
        self._client.shell_channel.send(message)

    def finish(self, cell: str, *, timeout: float = 120) -> dict[str, Any]:
        """Wait for the cell's end: what it `printed`, the MIME types it showed, and its `error` by name ("" for none)."""
        seen: dict[str, Any] = {"printed": "", "shown": set(), "error": "", "of others": set()}
        end = time.monotonic() + timeout
        while True:
            try:
                message = self._client.get_iopub_msg(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"the cell has not ended in {timeout} s; so far {seen}") from None
            kind, content = message["msg_type"], message["content"]
            if message["parent_header"].get("msg_id") != cell:
                seen["of others"].add(kind)
            elif kind == "stream" and content["name"] == "stdout":
                seen["printed"] += content["text"]
            elif kind in ("display_data", "execute_result"):
                seen["shown"] |= set(content["data"])
            elif kind == "error":
                seen["error"] = content["ename"]
            elif kind == "status" and content["execution_state"] == "idle":
                return seen

    def run(self, source: str) -> dict[str, Any]:
        return self.finish(self.start(source))

    def ask(self, source: str) -> str:
        """What the cell printed; an AssertionError if it raised."""
        seen = self.run(source)
        assert not seen["error"], seen
        return str(seen["printed"]).strip()

    def kill(self) -> None:
        """What a crash does: no handler runs, nothing is closed."""
        self._manager.shutdown_kernel(now=True)

    def interrupt(self) -> None:
        """What the stop button does."""
        self._manager.interrupt_kernel()
