# SPDX-License-Identifier: Apache-2.0
"""bench/bench.py in a small copy of the tree, over programs and a cmake that are stubs: it builds what it
needs, and says in a sentence what it can't have. The least client and server are the real ones."""

import contextlib
import importlib
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from patience import PATIENCE_S

SOURCE = pathlib.Path(__file__).resolve().parents[2]

FLOOR = """#!/bin/sh
echo '{"server_us": 100, "client_us": 100}'
"""
SOAK = """#!/bin/sh
while [ $# -gt 0 ]; do
    [ "$1" != --results ] || results=$2
    [ "$1 $2" != "--conns 10000" ] || { echo "soak: too many" >&2; exit 2; }
    shift
done
[ -z "${SOAK_FAILS-}" ] || { echo "soak: no luck" >&2; exit 2; }
mkdir -p "$results/last"
echo '{"subjects": [{"name": "server", "cost": {"cpu_us_per_conn": 125}},
    {"name": "client", "cost": {"cpu_us_per_conn": 125}}],
    "run": {"errors": {"total": 0}, "rate_per_s": 1000}}' >"$results/last/result.json"
"""
SETUP = """#!/bin/sh
echo "setup $1" >>"$CALLS"
[ -z "${SETUP_FAILS-}" ] || { echo "soak: can't install libuv1-dev" >&2; exit 2; }
mkdir -p "$(dirname "$0")/../build/bin"
for name in soak soak-server soak-client; do cp "$STUBS/soak-stub" "$(dirname "$0")/../build/bin/$name"; done
"""
CMAKE = """#!/bin/sh
echo "cmake $3 $4 $5 $6" >>"$CALLS"
[ -z "${CMAKE_FAILS-}" ] || { echo "a.c:3: error: a slip"; echo "make: *** [floor] Error 2"; exit 2; }
for name in floor ledger-cost-loop; do cp "$STUBS/floor-stub" "$2/bin/$name"; done
cp "$SOAK_BIN/least" "$2/bin"
"""


class Bench(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="soak-bench-test-")
        self.addCleanup(folder.cleanup)
        self.base = pathlib.Path(folder.name).resolve()
        for name in ("tree/bench", "tree/scripts", "stubs", "empty"):
            (self.base / name).mkdir(parents=True)
        for name in ("bench.py", "peers.py", "parts.py"):
            shutil.copy(SOURCE / "bench" / name, self.base / "tree/bench")
        for name, text in (("tree/scripts/setup.sh", SETUP), ("stubs/cmake", CMAKE),
                           ("stubs/floor-stub", FLOOR), ("stubs/soak-stub", SOAK)):
            (self.base / name).write_text(text)
            (self.base / name).chmod(0o755)

    def bench(self, *options, row="full", **more):
        stubs = self.base / "stubs"
        environment = {**os.environ, "PATH": f"{stubs}:{os.environ['PATH']}", "STUBS": str(stubs),
                       "CALLS": str(self.base / "calls"), **more}
        return subprocess.run(
            [sys.executable, self.base / "tree/bench/bench.py", "--row", row, "--rounds", "1",
             "--seconds", "1", "--connections", "100", "--calm", "0", *options], capture_output=True, text=True, check=False,
            timeout=PATIENCE_S, env=environment)

    def calls(self):
        path = self.base / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def fails(self, sentence, *options, code=1, **more):
        done = self.bench(*options, **more)
        self.assertEqual((done.returncode, done.stderr), (code, sentence + "\n"))

    def test_it_builds_what_it_needs_and_measures(self):
        done = self.bench()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.calls(), ["setup run", "cmake --target floor least ledger-cost-loop"])
        self.assertRegex(done.stdout, r"floor over TCP/actual, TLS 1\.3 P-256 +0\.800  >= 0\.960  missed")
        self.assertRegex(done.stdout, r"limit: the floor over TCP/the least pair, by epoll +\d+\.\d+  >= 0\.960")
        self.assertRegex(done.stdout, r"limit: the floor over TCP/the least pair, on libuv, as the harness is +\d+\.\d+  >= 0\.960")
        self.assertRegex(done.stdout, r"limit: the least server's with \d+ of the least clients +\d+\.\d+  >= 0\.750")
        self.assertRegex(done.stdout, r"limit: the floor over TCP's, as many at once +1\.000  >= 0\.750")

    def test_the_least_client_and_server_resume_however_they_wait(self):
        least = pathlib.Path(os.environ["SOAK_BIN"]) / "least"
        sys.path.insert(0, str(SOURCE / "bench"))
        peers = importlib.import_module("peers")
        for case in ("full", "rsa", "resume", "resume12"):
            for client, server, how in (("step", "epoll", "clean"), ("epoll", "epoll", "clean"),
                                        ("libuv", "libuv", "clean"), ("libuv", "epoll", "reset")):
                with self.subTest(case=case, client=client, how=how):
                    port = peers.free_port()
                    with peers.serving(peers.cores()[0], [least, "server", str(port), case, "ledger", server], port):
                        done = subprocess.run([least, "client", str(port), case, "ledger", client, how, "70"],
                                              capture_output=True, text=True, timeout=PATIENCE_S, check=False)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    made, resumed = map(int, re.fullmatch(r"(\d+) connections, (\d+) resumed\n", done.stdout).groups())
                    self.assertGreaterEqual(made, 70)
                    # A client that resets after the handshake may not have its ticket.
                    self.assertEqual(resumed > 0, case.startswith("resume") and how == "clean")

    def test_a_peer_that_is_not_here_is_skipped_with_its_name(self):
        bare = self.base / "bare"
        bare.mkdir()
        for tool in ("sh", "cp", "mkdir", "dirname"):
            (bare / tool).symlink_to(shutil.which(tool))
        done = self.bench(row="peers", PATH=f"{self.base / 'stubs'}:{bare}")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"over tls-perf's handshake \+ RST +skipped: no --tls-perf PATH")
        self.assertRegex(done.stdout, r"over nginx, one worker +skipped: nginx isn't installed \(package nginx\)")
        self.assertRegex(done.stdout, r"openssl s_time -new +skipped: the program openssl isn't installed")

    def test_a_ledger_that_cannot_be_counted_is_skipped_with_the_reason(self):
        cost = self.base / "tree/bench/ledger-cost.sh"
        cost.write_text("#!/bin/sh\necho 'ledger-cost: skipped: valgrind is missing' >&2\nexit 77\n")
        cost.chmod(0o755)
        self.assertRegex(self.bench(row="ledger").stdout, r"ledger, in instructions +skipped: .*valgrind is missing")

    def test_the_ledger_is_measured_by_its_gate(self):
        cost = self.base / "tree/bench/ledger-cost.sh"
        cost.write_text("#!/bin/sh\necho 'ratio        1.0100 (limit 1.03): ok'\n")
        cost.chmod(0o755)
        self.assertRegex(self.bench(row="ledger").stdout, r"ledger, in instructions +1\.010  <= 1\.015  met")

    def test_what_cannot_be_built_is_one_sentence(self):
        self.fails("soak: can't install libuv1-dev", code=2, SETUP_FAILS="1")
        self.fails("bench: the programs of bench/ can't be built: make: *** [floor] Error 2", CMAKE_FAILS="1")

    def test_a_run_without_a_result_is_one_sentence(self):
        self.fails("bench: soak left no result (exit 2): soak: no luck", SOAK_FAILS="1")

    def test_a_refused_run_does_not_take_an_earlier_result(self):
        self.fails("bench: soak left no result (exit 2): soak: too many", row="open")

    def test_a_folder_is_taken_as_it_is(self):
        empty = self.base / "empty"
        self.fails(f"bench: {empty} has no floor; make it by: cmake --build FOLDER/.. --target floor",
                   "--bin", empty)
        self.assertEqual(self.calls(), [])


def point(opened, processors=2, workers=None, server=250.0, rate=None, case="full"):
    cpu = {"server": server + opened / 1000, "client": 500.0}
    return {"case": case, "open": opened, "processors": processors, "workers": workers, "cpu_us": cpu,
            "rate_per_s": rate or 0.8 * processors * 1e6 / (cpu["server"] + cpu["client"]),
            "rss": {"server": 10e6 + opened * 40e3, "client": 12e6 + opened * 50e3}}


class Scale(unittest.TestCase):
    """bench/scale.py: a model, its error, and the page that is written from it."""

    @classmethod
    def setUpClass(cls):
        sys.path.insert(0, str(SOURCE / "bench"))
        cls.scale = importlib.import_module("scale")

    def test_points_of_the_model_have_no_error(self):
        points = [point(n) for n in (30, 1000, 3000, 10000)] + [point(30, 1, 1), point(30, 2, 4)]
        part, error = self.scale.share(points)
        self.assertAlmostEqual(part, 0.8)
        self.assertAlmostEqual(error, 0)
        fitted, error = self.scale.memory(points, "client")
        self.assertAlmostEqual(fitted(50000), 12e6 + 50000 * 50e3, places=0)
        self.assertAlmostEqual(error, 0)

    def test_the_error_is_that_of_the_worst_point_left_out(self):
        points = [point(30, rate=1000), point(30, rate=1000), point(30, rate=500)]
        self.assertAlmostEqual(self.scale.share(points)[1], 1.0)  # the two others say twice as much

    def test_agents_leave_the_processors_to_the_server_and_end_at_their_ports(self):
        self.assertAlmostEqual(self.scale.churn(point(0), 16, 0, 0.5), 0.5 * 16 / 750e-6)
        self.assertAlmostEqual(self.scale.churn(point(0), 1, 100, 0.5), 0.5 / 250e-6)
        self.assertAlmostEqual(self.scale.churn(point(0), 16, 9, 0.5), 9 * 470)

    def test_the_page_is_what_the_kept_points_give(self):
        done = subprocess.run([sys.executable, "-B", str(SOURCE / "bench/scale.py"), "--check"], capture_output=True,
                              text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class Idle(unittest.TestCase):
    """bench/idle.py: the difference of two clients that give their buffers back."""

    @classmethod
    def setUpClass(cls):
        sys.path.insert(0, str(SOURCE / "bench"))
        cls.idle = importlib.import_module("idle")

    def said(self, *words):
        asked, out = [], io.StringIO()

        def holding(_, count):
            asked.append(count)
            return 5000 + 35 * count
        with mock.patch.object(self.idle, "holding", holding), mock.patch.object(sys, "argv", ["idle.py", *words]), \
                contextlib.redirect_stdout(out):
            self.idle.main()
        return asked, out.getvalue()

    def test_what_both_have_is_no_connections(self):
        asked, text = self.said("--few", "1200", "--many", "1400")
        self.assertEqual(asked, [1200, 1400])
        self.assertTrue(text.startswith("35.0 KiB of RssAnon per idle connection (47,000 KiB with 1,200 open, "), text)

    def test_by_itself_it_asks_for_as_many_as_give_their_buffers_back(self):
        header = (SOURCE / "client/worker.h").read_text(encoding="utf-8")
        least = int(re.search(r"WORKER_MANY_OPEN = (\d+)", header)[1])
        self.assertGreaterEqual(min(self.said()[0]), least)


if __name__ == "__main__":
    unittest.main()
