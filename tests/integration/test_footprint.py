# SPDX-License-Identifier: Apache-2.0
"""soak-footprint: what it measures is the same in every run, and is what the ledgers of a real server and
client say of a connection."""

import os
import re
import subprocess
import unittest

from patience import PATIENCE_S
from soak_run import BIN, REPORT, SoakTest

PROGRAM = os.path.join(BIN, "soak-footprint")
# What a process's own layout decides, addresses and its size; and how long it takes. With an RSA key one connection in 32 makes
# the key's blinding anew: that changes no median, but whether all connections were alike.
CHANCE = re.compile(r" caller=\d+| exact=[01]|^rss .*\n|^working\n", re.MULTILINE)


def footprint(*options, refused=False):
    done = subprocess.run([PROGRAM, *options], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=PATIENCE_S, check=False)
    assert not REPORT.search(done.stderr), done.stderr
    if not refused:
        assert done.returncode == 0 and done.stdout.endswith("\ndone\n"), (done.stdout, done.stderr)
    return done


def fields(line):
    return dict(item.split("=", 1) for item in line.split()[1:] if "=" in item)


class Figures:
    """The lines of one measurement."""

    def __init__(self, *options):
        lines = footprint(*options).stdout.splitlines()
        self.end = {f["name"]: f for f in map(fields, lines) if "exact" in f}
        self.held = {(f["end"], f["stage"]): f for f in map(fields, lines) if "stage" in f}
        self.sites = [fields(line) for line in lines if line.startswith("site ")]

    def number(self, end, key):
        return int(self.end[end][key])

    def held_at(self, end, stage):
        return int(self.held[end, stage]["blocks"]), int(self.held[end, stage]["bytes"])


class Same(unittest.TestCase):
    def test_it_says_that_it_works_before_it_has_a_figure(self):
        self.assertRegex(footprint("--conns=1").stdout, r"^(working\n)+measured ")

    def same(self, *options, exact=True):
        first, second = (footprint(*options).stdout for _ in range(2))
        self.assertEqual(CHANCE.sub("", first), CHANCE.sub("", second))
        if exact:
            self.assertEqual(re.findall(r" exact=(\d)", first), ["1", "1"], options)

    def test_a_full_handshake(self):
        self.same("--conns=15")

    def test_tls_1_2(self):
        self.same("--conns=15", "--tls=1.2")

    def test_resumption(self):
        self.same("--conns=15", "--resume")
        self.same("--conns=15", "--resume", "--tls=1.2", "--session=cache")

    def test_client_certificates(self):
        self.same("--conns=5", "--client-auth=require")

    def test_rsa(self):
        self.same("--conns=15", "--key=rsa2048", exact=False)


class Sums(unittest.TestCase):
    def test_sites_add_up_to_their_end(self):
        f = Figures("--conns=5")
        for end in ("server", "client"):
            mine = [site for site in f.sites if site["end"] == end]
            for key, of_end in (("allocs", "allocs"), ("reallocs", "reallocs"), ("bytes", "alloc_bytes")):
                self.assertEqual(sum(int(site[key]) for site in mine), f.number(end, of_end), (end, key))
            self.assertEqual(sum(int(site["held_bytes"]) for site in mine), f.held_at(end, "idle")[1], end)

    def test_a_cached_session_outlives_its_connection(self):
        ticket, cache = Figures("--conns=5", "--tls=1.2"), Figures("--conns=5", "--tls=1.2", "--session=cache")
        self.assertEqual(ticket.number("server", "kept_blocks"), 0)
        self.assertGreater(cache.number("server", "kept_blocks"), 0)
        self.assertLess(cache.held_at("server", "idle"), ticket.held_at("server", "idle"))


class Refusals(unittest.TestCase):
    def test_what_cannot_be_measured_is_refused_in_a_sentence(self):
        for options, said in ((["--conns=0"], "--conns 0: from 1 to 1,001"),
                              (["--payload=65537B"], "--payload 65537B: from 1B to 64KiB"),
                              (["--resume", "--tickets=0"], "tickets"),
                              (["--resume", "--session=none"], "nothing to resume"),
                              (["--ciphers=ECDHE-ECDSA-AES128-GCM-SHA256"], "none is of TLS 1.3"),
                              (["--tls=any"], "--tls"), (["word"], "takes options only")):
            done = footprint(*options, refused=True)
            self.assertEqual((done.returncode, done.stdout), (2, ""), options)
            self.assertIn(said, done.stderr)

    def test_ends_that_cannot_agree_are_an_error(self):
        done = footprint("--ciphers=AES128-SHA", "--tls=1.2", refused=True)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"^working\nfatal text=the \w+'s handshake failed: ")


class Ledger(SoakTest):
    """A server with 100 connections more holds 100 times what one connection is said to hold."""

    def ledgers(self, conns, *options):
        run = self.soak("run", "--churn=max", f"--conns={conns}", "--closed=520", "--mix=clean", *options)
        self.assertEqual(run.exit, 0, run.explain())
        last = run.checkpoints()[-1]
        return {end: (last[end]["openssl"], run.subject(end)["cost"]["allocs_per_conn"])
                for end in ("server", "client")}

    def compare(self, *options):
        few, many, f = self.ledgers(30, *options), self.ledgers(130, *options), Figures("--conns=9", *options)
        for end in ("server", "client"):
            blocks, size = ((many[end][0][key] - few[end][0][key]) / 100 for key in ("blocks", "bytes"))
            # The client keeps the server's certificate, whose length isn't the same in each run.
            self.assertAlmostEqual(size, f.held_at(end, "idle")[1], delta=8 if end == "client" else 0, msg=end)
            self.assertEqual(blocks, f.held_at(end, "idle")[0], end)
            self.assertEqual(many[end][1], f.number(end, "allocs"), end)

    def test_tls_1_3(self):
        self.compare("--tls=1.3")

    def test_tls_1_2(self):
        self.compare("--tls=1.2")


if __name__ == "__main__":
    unittest.main()
