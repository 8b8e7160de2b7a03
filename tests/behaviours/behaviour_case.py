# SPDX-License-Identifier: Apache-2.0
"""Lets soak-client do one behaviour to soak-server, and says what the server's own SSL objects saw
(its connection log, docs/reference/connection-log.md)."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "integration"))
import server_log  # pylint: disable=wrong-import-position
from patience import PATIENCE_S as PATIENCE, until  # pylint: disable=wrong-import-position
from soak_run import defect_environment  # pylint: disable=wrong-import-position

from wire_tap import Tap

BIN = os.environ["SOAK_BIN"]
DEFAULT_MIX = ("clean", "reset", "half-close", "mid-handshake")
TABLE = Path(__file__).parents[2] / "src/common/options/behaviours.def"
# {name: how the server sees it end}
ENDS = dict(re.findall(r'^X\(\w+,\s+"([^"]+)",\s+\w+,\s+\d+,\s+(\w+),', TABLE.read_text(encoding="utf-8"),
                       re.MULTILINE))


def ends_so(row, ends):
    """Whether a connection of the server's log ended as the table of behaviours says."""
    way = "FAILS" if row["done"] == "0" else "RESET" if row["ended"] == "reset" else "OPEN"
    return way in ends.split("_OR_")


class Done:
    """`rows` of all connections; `own` of those that the behaviour made, without the ones that
    only held its place; what the client said."""

    def __init__(self, rows, client):
        self.rows, self.client = rows, client
        self.aborted = int(re.search(r"(\d+) aborted as intended", client.stdout).group(1))
        self.resumed = int(re.search(r"(\d+) resumed", client.stdout).group(1))
        self.own = [row for row in rows if not self.holder(row)]

    def holder(self, row):
        """One that wasn't of the behaviour: it said goodbye in order."""
        return row["done"] == "1" and row["ended"] == "close-notify"


class BehaviourCase(unittest.TestCase):
    maxDiff = None

    def server(self, log, *options):
        process = subprocess.Popen([BIN + "/soak-server", "--log", log, *options], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=defect_environment(options))
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait, PATIENCE)
        self.addCleanup(process.kill)
        port = process.stdout.readline().rsplit(":", 1)[1].strip()
        return process, port

    def wait_for_lines(self, path, count):
        """What was reset may still lie in the backlog when the client is gone."""
        until(lambda: len(server_log.read(path)) >= count, "the server has seen all connections")

    def drive(self, name, *client, server=(), conns=2, closed=22, churn="max",
              tapped=False):
        """All weight on the behaviour `name`. The client must end without a failure. `tapped`: by way
        of a tap on the wire, `done.tap`."""
        with tempfile.TemporaryDirectory(prefix="soak-test-") as folder:
            log = os.path.join(folder, "connections.log")
            process, port = self.server(log, *server)
            tap = Tap(port) if tapped else None
            if tap:
                self.addCleanup(tap.close)
                port = tap.port
            weights = [f"--{other}=0" for other in DEFAULT_MIX if other != name]
            done = subprocess.run(
                [BIN + "/soak-client", f"--connect=127.0.0.1:{port}", f"--conns={conns}",
                 f"--churn={churn}", "--workers=1", f"--closed={closed}", *weights, f"--{name}=1",
                 *client], text=True, capture_output=True, timeout=PATIENCE, check=False)
            self.wait_for_lines(log, closed)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(PATIENCE), 0, process.stderr.read())
            self.assertEqual(done.returncode, 0, f"{name}: {done.stdout}{done.stderr}")
            ret = Done(server_log.read(log), done)
            ret.tap = tap
            alone = not any(option[2:].split("=")[0] in ENDS for option in client)
            for row in ret.own if alone else ():
                self.assertTrue(ends_so(row, ENDS[name]), f"{name} is {ENDS[name]}: {row}")
            return ret

    def cut(self, name, *client, server=(), conns=2, closed=22):
        """The same for a behaviour that is never held: the rows of its own connections, which are
        as many as the client says that it ended as intended."""
        done = self.drive(name, *client, server=server, conns=conns, closed=closed)
        self.assertEqual(done.aborted, closed - conns)
        self.assertEqual(len(done.own), done.aborted, done.rows)
        return done.own

    def all_are(self, rows, **expected):
        """Each row has each value; a value may be a compiled pattern."""
        self.assertTrue(rows)
        for row in rows:
            for key, value in expected.items():
                key = key.replace("_", "-")
                if isinstance(value, re.Pattern):
                    self.assertRegex(row[key], value, row)
                else:
                    self.assertEqual(row[key], value, row)
