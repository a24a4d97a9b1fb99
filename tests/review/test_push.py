"""push_to_hub: the real clients of the hub against a server that keeps what they send."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pandas as pd
import pytest
from small import make_frame

import loss_widget as lw

PUSH = """
import json, sys
import pandas as pd
import loss_widget as lw
given = json.loads(sys.stdin.read())
session = lw.ReviewSession(pd.DataFrame(given["frame"]), journal=None)
session.relabel(1, "bad")
session.remove(2)
try:
    print(session.push_to_hub("ann/reviews", **given["how"]))
except lw.errors.ExportError as error:
    print("ExportError", error)
"""


class Hub(ThreadingHTTPServer):
    """As much of the hub's API as a push needs. `existing`: what is there already, or None; `large`: what was
    uploaded, by its hash; `files`: what was committed of it, by path."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.existing: dict[str, Any] | None = None
        self.created: dict[str, Any] = {}
        self.large: dict[str, bytes] = {}
        self.files: dict[str, bytes] = {}

    @property
    def is_private(self) -> bool:
        """Whether the dataset was asked to be made private, as newer clients say it or as older ones do."""
        return self.created.get("visibility") == "private" or self.created.get("private") is True


class _Answers(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        if re.match(r"/api/datasets/ann/reviews(/revision/\w+)?(\?|$)", self.path):
            return self._say(self.server.existing or {}, 200 if self.server.existing else 404, "RepoNotFound")
        if re.search(r"/tree/\w+(\?|$)", self.path):
            return self._say([{"type": "file", "path": ".gitattributes", "size": 1, "oid": "2" * 40}])
        return self._say({}, 404, "EntryNotFound")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        where = f"http://127.0.0.1:{self.server.server_port}/datasets/ann/reviews"
        if self.path.startswith("/api/repos/create"):
            self.server.created = json.loads(body)
            self.server.existing = {"id": "ann/reviews", "private": self.server.is_private, "sha": "0" * 40}
            return self._say({"url": where, "id": "ann/reviews"})
        if self.path.startswith("/api/validate-yaml"):
            return self._say({"errors": [], "warnings": []})
        if "/preupload/" in self.path:
            wanted = json.loads(body)["files"]
            return self._say(
                {
                    "files": [
                        {
                            "path": f["path"],
                            "uploadMode": "lfs" if f["path"].endswith(".parquet") else "regular",
                            "shouldIgnore": False,
                        }
                        for f in wanted
                    ]
                }
            )
        if self.path.endswith("/info/lfs/objects/batch"):
            objects = json.loads(body)["objects"]
            to = f"http://127.0.0.1:{self.server.server_port}/large"
            return self._say({"objects": [{**o, "actions": {"upload": {"href": f"{to}/{o['oid']}"}}} for o in objects]})
        if "/commit/" in self.path:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "lfsFile":
                    self.server.files[line["value"]["path"]] = self.server.large[line["value"]["oid"]]
            return self._say({"success": True, "commitOid": "1" * 40, "commitUrl": f"{where}/commit/{'1' * 40}"})
        return self._say({}, 404, "EntryNotFound")

    def do_PUT(self) -> None:
        self.server.large[self.path.split("/")[-1]] = self.rfile.read(int(self.headers["Content-Length"]))
        self._say({})

    def log_message(self, *said: Any) -> None:
        """Nothing."""

    def _say(self, answer: Any, status: int = 200, code: str = "") -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status != 200:
            self.send_header("X-Error-Code", code)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def push(hub: Hub, **how: Any) -> str:
    """What a process that knows only this hub prints."""
    frame = make_frame().assign(loss=1.0).to_dict("list")
    address = f"http://127.0.0.1:{hub.server_port}"
    environment = {**os.environ, "HF_ENDPOINT": address, "HF_TOKEN": "hf_none", "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", PUSH],
        input=json.dumps({"frame": frame, "how": how}),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_corrected_rows_arrive_and_the_dataset_is_private(hub: Hub) -> None:
    said = push(hub, commit_message="labels reviewed")
    assert said.endswith("/datasets/ann/reviews")
    assert hub.is_private
    assert hub.created["type"] == "dataset"
    (data,) = (content for path, content in hub.files.items() if path.endswith(".parquet"))
    pushed = pd.read_parquet(io.BytesIO(data))
    assert len(pushed) == len(make_frame()) - 1
    assert pushed["label"].iloc[1] == "bad"


def test_public_is_said_aloud(hub: Hub) -> None:
    push(hub, private=False)
    assert hub.created
    assert not hub.is_private


def test_nothing_is_pushed_into_a_dataset_that_is_public_already(hub: Hub) -> None:
    hub.existing = {"id": "ann/reviews", "private": False, "sha": "0" * 40}
    assert push(hub).startswith("ExportError Expected a private dataset or none at ann/reviews, found a public one.")
    assert not hub.files


def test_a_dry_run_says_what_would_be_pushed(hub: Hub) -> None:
    rows = len(make_frame()) - 1
    assert push(hub, dry_run=True) == f"Would push {rows} rows (text, label, age, loss) to the private dataset ann/reviews"
    assert not hub.created


def test_a_name_that_none_can_have_is_refused() -> None:
    session = lw.ReviewSession(make_frame().assign(loss=1.0), journal=None)
    with pytest.raises(lw.errors.ExportError, match=r"Expected to push 12 rows .*, found: .* Check the name"):
        session.push_to_hub("not a name/of the hub")
