# SPDX-License-Identifier: Apache-2.0
"""Chromium without a window, driven by its own protocol over two pipes: opens a page of a file, at a width,
and tells what it complained about and what an expression says there."""

import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

from patience import PATIENCE_S

NEEDS = pathlib.Path(os.environ["SOAK_SOURCE"], "scripts/needs.txt").read_text(encoding="utf-8")
# It has several names: needs.txt knows them.
NAMES = next(line.split()[1].split(",") for line in NEEDS.splitlines() if line.startswith("command chromium,"))
PROGRAM = next(filter(None, map(shutil.which, NAMES)), None)
COMPLAINTS = {"Runtime.exceptionThrown", "Log.entryAdded"}


class Browser:
    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="soak-browser-")
        (to_read, self.to), (self.back, to_write) = os.pipe(), os.pipe()
        # The protocol is on descriptors 3 and 4; dash can't move one that has two digits there.
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{to_read} 4>&{to_write}', "bash", PROGRAM, "--headless", "--no-sandbox",
             "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage", "--remote-debugging-pipe",
             f"--user-data-dir={self.profile}"],
            pass_fds=(to_read, to_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.number, self.buffer, self.events = 0, b"", []
        target = self.call("Target.createTarget", session=None, url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", session=None, targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def _message(self, until):
        while b"\0" not in self.buffer:
            if not select.select([self.back], [], [], max(0, until - time.monotonic()))[0]:
                raise TimeoutError("the browser says nothing")
            more = os.read(self.back, 1 << 16)
            if not more:
                raise EOFError("the browser has ended")
            self.buffer += more
        line, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(line)

    def call(self, method, session="", **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + PATIENCE_S
        while (answer := self._message(until)).get("id") != self.number:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def open(self, path, width, dark=False):
        """Of a file or an address. What it complained about while the page was loaded."""
        self.events.clear()
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
                  mobile=width < 600)
        self.media(dark=dark)
        self.call("Page.navigate", url=path if str(path).startswith("http") else f"file://{path}")
        until = time.monotonic() + PATIENCE_S
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self.events.append(self._message(until))
        self.look("1")
        return [e for e in self.events if e.get("method") in COMPLAINTS]

    def media(self, dark=False, printed=False):
        self.call("Emulation.setEmulatedMedia", media="print" if printed else "",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def look(self, expression):
        """The value of an expression there, or what its promise comes to."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def press(self, key):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def point(self, x, y):
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def close(self):
        os.close(self.to)
        os.close(self.back)
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)
