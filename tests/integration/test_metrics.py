# SPDX-License-Identifier: Apache-2.0
"""--metrics: what a run serves to Prometheus while it lasts."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

from patience import PATIENCE_S, until

try:
    from prometheus_client.openmetrics import parser
except ImportError:
    parser = None

BUILD = pathlib.Path(os.environ["SOAK_BUILD"])
SOURCE = pathlib.Path(os.environ["SOAK_SOURCE"])
SOAK = BUILD / "bin/soak"
FIGURES = {"soak_closed", "soak_errors", "soak_elapsed_seconds", "soak_open_connections", "soak_rate",
           "soak_asked_rate", "soak_handshake_p50_seconds", "soak_handshake_p99_seconds",
           "soak_openssl_blocks", "soak_survivors", "soak_ssl_objects", "soak_sessions", "soak_heap_bytes",
           "soak_resident_bytes", "soak_leak", "soak_run"}
LATER = {"soak_heap_growth_bytes", "soak_sensitivity"}  # once something was judged


class Metrics(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="soak-metrics-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.scenario = self.folder / 'a"b\\c.soak'
        self.scenario.write_text("[load]\nconns = 3\nchurn = 200/s\nfor = 1h\n", encoding="utf-8")

    def start(self):
        """A run until it is told to end, and where its figures are."""
        process = subprocess.Popen(
            [SOAK, self.scenario, "--metrics", "127.0.0.1:0", "--results", self.folder / "r"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.folder,
            env=dict(os.environ, SOAK_ROOT=str(SOURCE)))
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        for line in process.stderr:
            if found := re.search(r"^soak: metrics at http://127\.0\.0\.1:(\d+)/metrics$", line):
                return process, int(found[1])
        self.fail("it didn't say where")

    @staticmethod
    def get(port, path="/metrics", method="GET"):
        """Its status and text."""
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return answer.status, answer.read().decode("utf-8")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode("utf-8")

    def closed(self, port):
        """So many connections; 0 before there are figures."""
        status, text = self.get(port)
        return float(re.search(r"(?m)^soak_closed_total (\S+)$", text)[1]) if status == 200 else 0

    def check(self, text):
        self.assertTrue(text.endswith("\n# EOF\n"))
        names = set(re.findall(r"(?m)^# TYPE (\S+) ", text))
        self.assertLessEqual(FIGURES, names)
        self.assertLessEqual(names, FIGURES | LATER)
        self.assertIn('scenario="a\\"b\\\\c"', text)
        for name in ("soak_ssl_objects", "soak_open_connections"):
            self.assertLessEqual(0, float(re.search(rf"(?m)^{name} (\S+)$", text)[1]))

    def test_a_run_serves_its_figures_while_it_lasts(self):
        process, port = self.start()
        first = until(lambda: self.closed(port), "figures")
        until(lambda: self.closed(port) > first, "more connections")
        self.check(self.get(port, "/")[1])
        self.assertEqual([self.get(port, *words)[0] for words in (("/x",), ("/metrics", "POST"))], [404, 405])

        # Those who say nothing, or too much, keep nobody waiting.
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(12)]
        silent[0].close()
        silent[11].sendall(b"GET /" + b"x" * 8192)
        self.assertEqual(self.get(port)[0], 200)

        # Of the run's end nobody keeps it, and afterwards nobody listens.
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE_S)
        self.assertEqual(process.returncode, 130, out)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        for one in silent:
            one.close()

    @unittest.skipUnless(parser, "there is no prometheus_client for Python (package python3-prometheus-client)")
    def test_prometheus_reads_it(self):
        """By the parser of its own client: promtool reads the older form of the text alone."""
        _, port = self.start()
        until(lambda: self.closed(port), "figures")
        text = self.get(port)[1]
        families = {family.name: family for family in parser.text_string_to_metric_families(text)}
        self.assertEqual(set(families), set(re.findall(r"(?m)^# TYPE (\S+) ", text)))
        self.assertEqual(families["soak_closed"].type, "counter")
        with self.assertRaises(ValueError, msg="this test finds nothing"):
            list(parser.text_string_to_metric_families(text.replace("soak_closed_total ", "soak_closed ")))

    def test_an_address_that_cannot_be_is_refused(self):
        for address, code, sentence in (
                ("9464", 2, ": a loopback address and a port, such as 127.0.0.1:9464"),
                ("0.0.0.0:9464", 2, ": a loopback address and a port, such as 127.0.0.1:9464"),
                (None, 4, "address already in use")):
            with self.subTest(address=address), socket.create_server(("127.0.0.1", 0)) as taken:
                at = address or f"127.0.0.1:{taken.getsockname()[1]}"
                process = subprocess.run([SOAK, "--metrics", at, "--results", self.folder / "r", "--conns", "2",
                                          "--closed", "64"],
                                         capture_output=True, text=True, timeout=PATIENCE_S, check=False,
                                         env=dict(os.environ, SOAK_ROOT=str(SOURCE)))
                self.assertEqual(process.returncode, code, process.stdout + process.stderr)
                self.assertIn(sentence, process.stderr)

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


if __name__ == "__main__":
    unittest.main(verbosity=2)
