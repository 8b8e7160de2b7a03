# SPDX-License-Identifier: Apache-2.0
"""Runs soak once and gives back what it left: the helper of the integration tests."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from patience import PATIENCE_S

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(ROOT, "scripts"))
# pylint: disable-next=wrong-import-position
from tally import REPORT

BIN = os.environ.get("SOAK_BIN", os.path.join(ROOT, "build/bin"))
SOAK = os.path.join(BIN, "soak")

LINKED = subprocess.run(["ldd", os.path.join(BIN, "soak-server")], capture_output=True, check=True).stdout
HAS_JEMALLOC = b"jemalloc" in LINKED
HAS_LIBTSAN = b"libtsan" in LINKED
# What counts in programs that aren't soak's: no build with sanitizers has it (src/preload).
HAS_PROBE = os.path.exists(os.path.join(BIN, "libsoakprobe.so"))
NO_PROBE = "a build with sanitizers has no probe for programs that aren't soak's"
# Nor does one catch a signal that ends it (src/common/probe/crash.c).
HAS_CRASH_STACKS, NO_CRASH_STACKS = HAS_PROBE, "a build with sanitizers keeps no stack of a crash"
# A sanitizer that catches the signal would report what the test has done.
UNCAUGHT = "handle_segv=0"
# What is freed is free at once: to a short run all that waits in AddressSanitizer's quarantine is growth.
NO_QUARANTINE = "quarantine_size_mb=0:thread_local_quarantine_size_kb=0"
# As many connections as there can be, the same in every run.
CHURN = ("--conns", "30", "--churn", "max", "--seed", "7f3a")
# Nine handshakes of ten are resumed ones, which cost an eighth of a full one: where a test asks nothing of them.
RESUMED = ("--tls", "1.2", "--resume", "90%")


class Run:
    """One finished run: exit code, output, the documents of its folder."""

    def __init__(self, process, folder):
        self.exit = process.returncode
        self.out = process.stdout
        self.err = process.stderr
        self.folder = folder
        self.result = self._document("result.json")
        self.manifest = self._document("manifest.json")
        self.samples = self._samples()
        self._refuse_reports()

    def _refuse_reports(self):
        """A report in either child fails the test, whatever exit code the run ends with."""
        texts = {"stderr": self.err or ""}
        for name in ("server.log", "client.log", "server-2.log", "client-2.log"):
            path = os.path.join(self.folder, name) if self.folder else ""
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as f:
                    texts[name] = f.read()
        for name, text in texts.items():
            if REPORT.search(text):
                raise AssertionError(f"a sanitizer reports in {name}:\n{text}")

    def _document(self, name):
        path = os.path.join(self.folder, name) if self.folder else ""
        if not os.path.exists(path):
            return None
        with open(path, encoding="utf-8") as f:
            return json.load(f)

    def _samples(self):
        path = os.path.join(self.folder, "samples.jsonl") if self.folder else ""
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def checkpoints(self):
        return [s for s in self.samples if s["kind"] == "checkpoint"]

    def subject(self, name="server"):
        return next(s for s in self.result["subjects"] if s["name"] == name)

    def metric(self, metric_id, subject="server"):
        return next(m for m in self.subject(subject)["metrics"] if m["id"] == metric_id)

    def explain(self):
        return f"exit {self.exit}\n{self.out}\n{self.err}"


def sanitizers_told(options):
    """What an environment must have for it."""
    return {name: os.environ.get(name, "") + ":" + options for name in ("ASAN_OPTIONS", "TSAN_OPTIONS")}


def defect_environment(options):
    """The environment for a run: a bug that leaks on purpose is no news to LeakSanitizer, nor what OpenSSL up to 3.0.20
    loses where the ticket callback says abort (docs/issues/openssl-30464.md)."""
    environment = dict(os.environ)
    if {"--defect", "abort", "--ticket-callback=abort"} & set(options):
        environment["ASAN_OPTIONS"] = environment.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    return environment


class SoakTest(unittest.TestCase):
    """Gives each test a results folder of its own, removed afterwards."""

    def setUp(self):
        self.results = tempfile.mkdtemp(prefix="soak-test-")
        self.addCleanup(self.put_away)

    def put_away(self):
        """What a failed test left is kept where SOAK_KEEP_FAILED says: under the test's name."""
        kept = os.environ.get("SOAK_KEEP_FAILED")
        ended = self._outcome.result
        if kept and any(test is self for test, _ in ended.failures + ended.errors):
            to = tempfile.mkdtemp(prefix=self.id().removeprefix("__main__.") + "-", dir=kept)
            shutil.copytree(self.results, to, symlinks=True, dirs_exist_ok=True)
            print(f"kept: {to}")
        shutil.rmtree(self.results, ignore_errors=True)

    def command(self, *options):
        if not HAS_PROBE and {"--server", "--client"} & set(options):
            self.skipTest(NO_PROBE)
        return [SOAK, *options, "--results", self.results]

    def last(self):
        link = os.path.join(self.results, "last")
        return os.path.realpath(link) if os.path.exists(link) else None

    def soak(self, *options, env=None):
        environment = dict(defect_environment(options), **(env or {}))
        process = subprocess.run(self.command(*options), capture_output=True, text=True,
                                 timeout=PATIENCE_S, env=environment, check=False)
        return Run(process, self.last())
