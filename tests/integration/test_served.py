# SPDX-License-Identifier: Apache-2.0
"""--metrics and --serve: what a run shows while it lasts, to Prometheus and to a browser."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request
import uuid

from patience import PATIENCE_S, until
from processes import family
from soak_run import HAS_JEMALLOC, HAS_PROBE, NO_PROBE

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../cli"))
import browser

try:
    from prometheus_client.openmetrics import parser
except ImportError:
    parser = None

BUILD = pathlib.Path(os.environ["SOAK_BUILD"])
SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])
SOAK = BUILD / "bin/soak"
PROGRAMS = pathlib.Path(__file__).with_name("foreign_programs.py")
PROMTOOL = shutil.which("promtool")
FIGURES = {"soak_closed", "soak_errors", "soak_elapsed_seconds", "soak_open_connections", "soak_rate",
           "soak_asked_rate", "soak_handshake_p50_seconds", "soak_handshake_p99_seconds",
           "soak_openssl_blocks", "soak_survivors", "soak_ssl_objects", "soak_sessions", "soak_heap_bytes",
           "soak_resident_bytes", "soak_leak", "soak_run"}
LATER = {"soak_heap_growth_bytes", "soak_sensitivity"}  # once something was judged
OF_JEMALLOC = {"soak_heap_bytes"}


def soak(*words, **more):
    return subprocess.Popen([SOAK, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=dict(os.environ, SOAK_ROOT=str(SOURCE)), **more)


def resident_of(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"(?m)^VmRSS:\s+(\d+) kB$", status)[1]) * 1024


class Served(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="soak-served-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.scenario = self.folder / 'a"b\\c<script>.soak'
        self.scenario.write_text("[load]\nconns = 3\nchurn = 200/s\nfor = 1h\n", encoding="utf-8")

    def start(self, *options):
        """A run until it is told to end, and the port of its first listener."""
        process = soak(self.scenario, *options, "--results", self.folder / "r", cwd=self.folder)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        for line in process.stderr:
            if found := re.search(r"^soak: \w+ at http://127\.0\.0\.1:(\d+)/", line):
                return process, int(found[1])
        self.fail("it didn't say where")

    def stop(self, process, port):
        """By Ctrl-C; then nobody listens."""
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE_S)
        self.assertEqual(process.returncode, 130, out)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))

    @staticmethod
    def get(port, path="/metrics", method="GET"):
        """Its status and text."""
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return answer.status, answer.read().decode("utf-8")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode("utf-8")

    def refused(self, *words):
        """The sentence of a run that began with nothing."""
        process = soak(*words, "--results", self.folder / "never")
        _, said = process.communicate(timeout=PATIENCE_S)
        self.assertEqual((process.returncode, said.count("\n")), (2, 1), said)
        self.assertFalse((self.folder / "never").exists())
        return said


class Metrics(Served):
    def closed(self, port):
        """So many connections; 0 before there are figures."""
        status, text = self.get(port)
        return float(re.search(r"(?m)^soak_closed_total (\S+)$", text)[1]) if status == 200 else 0

    def resident(self, port):
        return float(re.search(r"(?m)^soak_resident_bytes (\S+)$", self.get(port)[1])[1])

    def check(self, text):
        self.assertTrue(text.endswith("\n# EOF\n"))
        names = set(re.findall(r"(?m)^# TYPE (\S+) ", text))
        self.assertLessEqual(FIGURES if HAS_JEMALLOC else FIGURES - OF_JEMALLOC, names)
        self.assertLessEqual(names, FIGURES | LATER)
        self.assertIn('scenario="a\\"b\\\\c<script>"', text)
        for name in ("soak_ssl_objects", "soak_open_connections"):
            self.assertLessEqual(0, float(re.search(rf"(?m)^{name} (\S+)$", text)[1]))

    def test_a_run_serves_its_figures_while_it_lasts(self):
        process, port = self.start("--metrics", "127.0.0.1:0")
        first = until(lambda: self.closed(port), "figures")
        until(lambda: self.closed(port) > first, "more connections")
        self.check(self.get(port, "/")[1])
        self.assertEqual([self.get(port, *words)[0] for words in (("/x",), ("/metrics", "POST"))], [404, 405])

        # Those who say nothing, or too much, keep nobody waiting.
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(12)]
        silent[0].close()
        silent[11].sendall(b"GET /" + b"x" * 8192)
        self.assertEqual(self.get(port)[0], 200)

        # Of the run's end nobody keeps it.
        self.stop(process, port)
        for one in silent:
            one.close()

    def test_connections_in_their_handshake_are_open(self):
        """Of a server that never answers no handshake ends."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            _, port = self.start("--metrics", "127.0.0.1:0", "--connect",
                                 f"127.0.0.1:{silent.getsockname()[1]}", "--handshake-timeout", "1h")
            until(lambda: "\nsoak_open_connections 3\n" in self.get(port)[1], "three open connections")

    @unittest.skipUnless(HAS_PROBE, NO_PROBE)
    def test_the_memory_of_a_program_is_that_of_all_its_processes(self):
        mark = uuid.uuid4().hex
        _, port = self.start("--metrics", "127.0.0.1:0", "--env", f"SOAK_TEST_MARK={mark}", "--server",
                             f"{sys.executable} {PROGRAMS} one_of_three_leaks {{address}} {{cert}} {{key}}")
        until(lambda: self.closed(port), "figures")
        program = os.path.realpath(sys.executable)  # the guard that starts it isn't judged
        each = [resident_of(pid) for pid in family(mark) if os.path.realpath(f"/proc/{pid}/exe") == program]
        self.assertEqual(len(each), 3)
        self.assertGreater(self.resident(port), sum(each) - min(each) / 2)

    @unittest.skipUnless(parser, "there is no prometheus_client for Python (package python3-prometheus-client)")
    def test_prometheus_reads_it(self):
        """By the parser of its own client."""
        _, port = self.start("--metrics", "127.0.0.1:0")
        until(lambda: self.closed(port), "figures")
        text = self.get(port)[1]
        families = {family.name: family for family in parser.text_string_to_metric_families(text)}
        self.assertEqual(set(families), set(re.findall(r"(?m)^# TYPE (\S+) ", text)))
        self.assertEqual(families["soak_closed"].type, "counter")
        with self.assertRaises(ValueError, msg="this test finds nothing"):
            list(parser.text_string_to_metric_families(text.replace("soak_closed_total", "soak_closed")))

    @unittest.skipUnless(PROMTOOL, "there is no promtool in PATH. Its package, prometheus, has 96 MB and starts a server, "
                                   "so set-up doesn't install it; to have it alone: apt-get download prometheus && "
                                   "dpkg-deb -x prometheus_*.deb FOLDER, and FOLDER/usr/bin into PATH")
    def test_promtool_finds_nothing_wrong(self):
        """It reads the older form of the text alone, so the names are put as that has them."""
        _, port = self.start("--metrics", "127.0.0.1:0")
        until(lambda: self.closed(port), "figures")
        text = self.get(port)[1].removesuffix("# EOF\n")
        for kind, older, suffix in (("info", "gauge", "_info"), ("counter", "counter", "_total")):
            text = re.sub(rf"(?m)^# TYPE (\S+) {kind}\n# HELP \S+ (.*)$",
                          rf"# HELP \1{suffix} \2\n# TYPE \1{suffix} {older}", text)
        for checked, said in ((text, ""), (text.replace("soak_closed_total", "soak_closed"),
                                           'soak_closed counter metrics should have "_total" suffix\n')):
            process = subprocess.run([PROMTOOL, "check", "metrics"], input=checked, text=True, capture_output=True,
                                     check=False, timeout=PATIENCE_S)
            self.assertEqual((process.stdout + process.stderr, process.returncode), (said, 3 if said else 0))

    def test_the_dashboard_asks_for_what_there_is(self):
        board = json.loads((SOURCE / "examples/grafana/soak.json").read_text(encoding="utf-8"))
        asked = {name for panel in board["panels"] for target in panel["targets"]
                 for name in re.findall(r"soak_\w+", target["expr"])}
        self.assertGreater(len(asked), 10)
        self.assertLessEqual({name.removesuffix("_total") for name in asked}, FIGURES | LATER)

    def test_the_dashboard_can_be_imported(self):
        """Its panels have names and places of their own, and ask the source that is chosen when it is imported."""
        board = json.loads((SOURCE / "examples/grafana/soak.json").read_text(encoding="utf-8"))
        source, = board["templating"]["list"]
        self.assertEqual((source["type"], source["query"]), ("datasource", "prometheus"))
        taken = set()
        for panel in board["panels"]:
            at = panel["gridPos"]
            self.assertLessEqual(at["x"] + at["w"], 24, panel["title"])
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            self.assertFalse(cells & taken, panel["title"])
            taken |= cells
            self.assertEqual(panel["datasource"], {"type": "prometheus", "uid": f"${{{source['name']}}}"})
            letters = [target["refId"] for target in panel["targets"]]
            self.assertEqual(len(letters), len(set(letters)), panel["title"])
        for key in ("id", "title"):
            self.assertEqual(len({panel[key] for panel in board["panels"]}), len(board["panels"]))


class Addresses(Served):
    def test_an_address_that_cannot_be_is_refused_before_anything_starts(self):
        for option, port in (("--metrics", "9464"), ("--serve", "8080")):
            for address in ("9464", "0.0.0.0:9464", "192.0.2.1:80", "[::]:80", "localhost:80", "127.0.0.1:65536"):
                self.assertEqual(self.refused(option, address),
                                 f"soak: {option} {address}: a loopback address and a port, such as 127.0.0.1:{port}\n")
            with socket.create_server(("127.0.0.1", 0)) as taken:
                address = f"127.0.0.1:{taken.getsockname()[1]}"
                self.assertEqual(self.refused(option, address),
                                 f"soak: {option} {address}: the port is in use; give another, or 0 for one that is "
                                 "free\n")


class Page(Served):
    @staticmethod
    def say(port, text):
        """What is answered to these bytes, until the other side closes."""
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as one:
            one.sendall(text)
            answer = b""
            while more := one.recv(1 << 16):
                answer += more
            return answer.decode()

    def closed(self, port):
        """So many connections, by the page's headline; 0 before there is a page."""
        found = re.search(r"NOT YET</span> [\w ]+; ([\d,]+) connections so far</h1>", self.get(port, "/")[1])
        return int(found[1].replace(",", "")) if found else 0

    def test_a_run_shows_its_page_while_it_lasts(self):
        process, port = self.start("--serve", "127.0.0.1:0", "--metrics", "127.0.0.1:0")
        first = until(lambda: self.closed(port), "a page")
        until(lambda: self.closed(port) > first, "more connections")
        text = until(lambda: 'id="growth-0"' in (page := self.get(port, "/")[1]) and page, "charts")
        self.assertIn("c&lt;script&gt;", text)
        self.assertEqual(text.count("<script>"), 2)
        self.assertEqual(self.get(port, "/metrics")[0], 200)  # one listener for both
        self.stop(process, port)

    def test_it_names_the_stacks_of_what_survived_so_far(self):
        process, port = self.start("--serve", "127.0.0.1:0", "--defect", "lost-state", "--keep-going", "--churn", "max")
        text = until(lambda: 'id="stacks"' in (page := self.get(port, "/")[1]) and page, "call stacks")
        self.assertIn('<a href="#stacks">Call stacks</a>', text)
        self.assertRegex(text, r"<title>(server: )?lost_state_accept\b")
        self.stop(process, port)

    def test_what_is_hostile_is_refused_and_disturbs_nobody(self):
        process, port = self.start("--serve", "127.0.0.1:0")
        first = until(lambda: self.closed(port), "a page")
        host = b"Host: 127.0.0.1\r\n"
        for text, status in ((b"GET / HTTP/1.1\r\nHost: rebound.example\r\n\r\n", 421), (b"GET / HTTP/1.1\r\n\r\n", 400),
                             (b"POST / HTTP/1.1\r\n" + host + b"\r\n", 405), (b"\0\xff\r\n\r\n", 400),
                             (b"GET /../etc/passwd HTTP/1.1\r\n" + host + b"\r\n", 404),
                             (b"GET / HTTP/1.1\r\n" + host + b"X: " + b"x" * (4096 - 16 - 17 - 3), 431)):
            answer = self.say(port, text)
            self.assertEqual(answer.split(" ")[1:2], [str(status)], text)
            self.assertNotIn("<html", answer)
        head, _, body = self.say(port, b"HEAD / HTTP/1.1\r\n" + host + b"\r\n").partition("\r\n\r\n")
        self.assertEqual((head.split(" ")[1], body), ("200", ""))
        self.assertNotIn("access-control", head.lower())
        self.assertIn("frame-ancestors 'none'", head)

        # More than are let in at a time, who ask and take nothing.
        slow = []
        for _ in range(12):
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.connect(("127.0.0.1", port))
            one.sendall(b"GET / HTTP/1.1\r\n" + host + b"\r\n")
            slow.append(one)
        until(lambda: self.closed(port) > first, "more connections")
        self.stop(process, port)
        for one in slow:
            one.close()

    @unittest.skipUnless(browser.PROGRAM, "no browser: install chromium to see the page in one")
    def test_a_browser_follows_it_and_loses_nothing(self):
        process, port = self.start("--serve", "127.0.0.1:0")
        until(lambda: 'id="growth-0"' in self.get(port, "/")[1], "charts")
        chromium = browser.Browser()
        self.addCleanup(chromium.close)
        self.assertEqual(chromium.open(f"http://127.0.0.1:{port}/", 1280), [])
        first = chromium.look("const s = document.querySelector('#growth-0 summary'); s.click(); s.focus();"
                              "scrollTo(0, 300); document.querySelector('h1').textContent")
        until(lambda: chromium.look("document.querySelector('h1').textContent") != first, "the page renews itself")
        self.assertEqual(chromium.look("[scrollY, document.querySelector('#growth-0 details').open,"
                                       "document.activeElement.textContent]"), [300, True, "All figures as a table"])
        self.stop(process, port)
        until(lambda: chromium.look("document.querySelector('#ended').textContent"), "it says that nobody answers")


if __name__ == "__main__":
    unittest.main(verbosity=2)
