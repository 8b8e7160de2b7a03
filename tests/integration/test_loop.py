# SPDX-License-Identifier: Apache-2.0
"""--loop: a client program that ends, started again and again with another number of connections."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import unittest
from pathlib import Path

import jsonschema

from patience import PATIENCE_S, until
from soak_run import ROOT, SoakTest

# tests/servers/planter.c
PLANTER = os.path.join(os.environ["SOAK_BIN"], "libsoak-planter.so")
SCHEMA = json.loads(Path(ROOT, "results/schema/soak-1.schema.json").read_text("utf-8"))
# A BIO is kept for each connection up to a number of them; then it ends without any clean-up.
CLIENT = """
import mmap, os, socket, ssl, sys
address, ca, count, most = sys.argv[1:5]
host, port = address.split(":")
context = ssl.create_default_context(cafile=ca)
kept = []
for path in os.environ.get("MAPS", "").split():
    with open(path, "rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
for i in range(min(int(count), int(os.environ.get("AT_MOST", count)))):
    with context.wrap_socket(socket.create_connection((host, int(port))), server_hostname=host) as tls:
        tls.sendall(b"?")
        while tls.recv(100):
            pass
    if len(kept) < int(most):
        kept.append(ssl.MemoryBIO())
os._exit(int(sys.argv[5]))
"""
# Connects, and goes no further.
STUCK = "kept = socket.create_connection((host, int(port))); open(MARK, 'w').close(); kept.recv(1)\n"
RUNS = 12
SHORT = ("--loop", str(RUNS), "--closed", "730", "--seed", "7f3a")


class LoopTest(SoakTest):
    def loop(self, command, *options):
        run = self.soak("--client", command, *SHORT, *options)
        self.assertIsNotNone(run.result, run.explain())
        return run

    def python(self, most, *options, count="{count}", status=0):
        script = Path(self.results, "client.py")
        script.write_text(CLIENT)
        return self.loop(f"{sys.executable} {script} {{address}} {{ca}} {count} {most} {status}", *options)

    def judged(self, run):
        self.assertIsNone(run.result["broken"], run.explain())
        client = run.subject("client")
        self.assertTrue(client["selfcheck"]["planted"]["found"], run.explain())
        self.assertTrue(client["ended"], run.explain())
        jsonschema.validate(run.result, SCHEMA)
        return client

    def test_a_table_that_fills_passes(self):
        run = self.python(20)
        client = self.judged(run)
        self.assertEqual((run.exit, client["verdict"]), (0, "PASS"), run.explain())
        runs = run.result["loop"]
        asked = [r["asked"] for r in runs]
        self.assertEqual(len(set(asked)), RUNS)
        self.assertEqual((min(asked), max(asked)), (asked[0], asked[-1]))
        self.assertNotEqual(asked, sorted(asked))
        self.assertEqual([r["connections"] for r in runs], asked, run.explain())
        self.assertEqual((run.result["run"]["closed"], run.result["run"]["conns"]), (sum(asked), 0))
        # Short ones have filled it in part; what else the interpreter doesn't free is the same in all.
        full = {r["blocks"] for r in runs if r["asked"] >= 20}
        self.assertEqual(len(full), 1, run.explain())
        self.assertLess(runs[0]["blocks"], max(full))
        self.assertEqual(client["series"][0]["closed"], sorted(asked))
        page = Path(run.folder, "report.html").read_text("utf-8")
        self.assertIn("connections of a run", page)
        self.assertRegex(run.result["headline"], rf"^nothing grows over {RUNS} runs of {min(asked)} to {max(asked)} conn")

    def test_what_is_kept_of_each_connection_is_a_leak(self):
        run = self.python(10**6)
        client = self.judged(run)
        self.assertEqual((run.exit, client["verdict"]), (1, "LEAK"), run.explain())
        bio = next(s for s in client["sites"] if s["file"] == "crypto/bio/bio_lib.c")
        self.assertEqual((bio["per_conn_blocks"], bio["kind"]), (1, "object-retained"), run.explain())
        self.assertEqual(client["class"], "BIO")
        # The stack is that of the largest run, with its names.
        self.assertTrue(any(frame["function"] == "BIO_new_ex" for stack in client["stacks"]
                            for frame in stack["frames"]), run.explain())

    def test_what_a_jvm_held_at_its_end_is_no_leak(self):
        """Its finalizers don't run when it ends. This one is known for a JVM by a library that it maps."""
        library = Path(self.results, "libjvm.so")
        library.write_bytes(b"JVM")
        run = self.python(10**6, "--env", f"MAPS={library}")
        self.assertEqual((run.exit, run.subject("client")["verdict"]), (3, "INCONCLUSIVE"), run.explain())
        self.assertIn("is a JVM, and nothing makes its garbage collector run", run.subject("client")["reasons"][0])
        self.assertEqual((run.result["missing"], run.result["next"]),
                         ("a collection before the program ends: System.gc()", []), run.explain())

    def test_a_block_that_curl_loses_is_found(self):
        if not shutil.which("curl"):
            self.skipTest("curl is not installed (scripts/needs.txt)")
        run = self.loop("curl -s --cacert {ca} -o /dev/null https://{address}/[1-{count}]", "--env",
                        f"LD_PRELOAD={PLANTER}", "--env", "PLANT=openssl:1:client")
        client = self.judged(run)
        site = next(s for s in client["sites"] if s["file"] == "planted.c")
        self.assertEqual((client["verdict"], site["bytes"]), ("LEAK", 48 * site["blocks"]), run.explain())
        self.assertEqual(site["per_conn_blocks"], round(site["per_conn_blocks"]), run.explain())
        self.assertRegex(client["why"], r"runs of [\d, ]+ connections ended with [\d, ]+ blocks")

    def test_what_runs_do_otherwise_is_said_and_counted(self):
        run = self.python(0, count="$(({count}+1))", status=0)
        self.assertRegex(run.result["broken"] or "", "ValueError", run.explain())
        run = self.python(0, "--env", "UNUSED={count}", count="30", status=3)
        self.assertRegex(" ".join(run.out.split()), f"{RUNS} of {RUNS} ended with exit status 3; client.log says why")
        self.assertRegex(" ".join(run.out.split()), f"{RUNS} of {RUNS} made another number of connections than "
                                                    r"{count}, as 30 for \d+; what was accepted counts")
        self.assertEqual({(r["connections"], r["status"]) for r in run.result["loop"]}, {(30, 3)})
        self.assertEqual(run.exit, 3, run.explain())  # all alike: nothing could have shown

    def test_no_longer_run_is_advised_where_none_would_make_more_connections(self):
        for count, why in (("30", f"the {RUNS} runs made the same number of connections, so that no lost block would "
                                  "surely have shown"), ("{count}", "")):
            run = self.python(0, "--env", "UNUSED={count}", "--env", "AT_MOST=30", count=count)
            said = " ".join(run.out.split())
            self.assertEqual(run.exit, 3, run.explain())
            self.assertIn(why, said)
            self.assertNotIn("too short", said)
            self.assertNotIn("ended the run", said)
            self.assertNotIn("--closed", said)
            self.assertEqual(run.result["missing"], "a program that makes {count} connections, however many that are")

    def interrupted(self, client):
        """What is said of a run whose program, of `client`, is sent Ctrl-C in a connection, which it has made MARK for."""
        mark, script = Path(self.results, "connected"), Path(self.results, "client.py")
        script.write_text(client.replace("MARK", repr(str(mark))))
        process = subprocess.Popen(self.command("--client", f"{sys.executable} {script} {{address}} {{ca}} {{count}} 0 0",
                                                *SHORT), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until(mark.exists)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE_S)
        self.assertEqual(process.returncode, 130, out)
        return out

    def test_an_interrupted_run_is_not_judged_by_the_loop_that_it_cut(self):
        out = self.interrupted(CLIENT.replace("    with context", f"    {STUCK}    with context"))
        self.assertRegex(out, r"\AINCONCLUSIVE +interrupted; nothing can be said yet after")
        self.assertNotIn("hooks", out)
        self.assertNotIn("failed", out)

    def test_a_connection_that_an_interrupt_cut_is_not_counted_beside_one_that_failed(self):
        failed = repr(str(Path(self.results, "failed")))
        out = self.interrupted(CLIENT.replace("    with context", f"""    if os.path.exists({failed}):
        {STUCK}    with context""").replace("os._exit", f"""socket.create_connection((host, int(port))).close()
open({failed}, "w").close()
os._exit"""))
        result = json.loads(Path(self.last(), "result.json").read_text("utf-8"))
        self.assertEqual(result["run"]["errors"]["total"], 1, out)

    def test_what_it_starts_gives_back_what_it_holds(self):
        script = Path(self.results, "again.sh")
        script.write_text(f"{sys.executable} {self.results}/client.py $1 $2 $3 0 0; exit 0\n")
        Path(self.results, "client.py").write_text(CLIENT)
        run = self.loop(f"/bin/sh {script} {{address}} {{ca}} {{count}}")
        self.assertRegex(run.result["broken"] or "", "nothing is counted of what the client held at its end")

    def test_one_that_is_not_counted(self):
        script = Path(self.results, "client.py")
        script.write_text(CLIENT)
        run = self.loop(f"/usr/bin/env -i {sys.executable} {script} {{address}} {{ca}} {{count}} 0 0")
        self.assertEqual(run.exit, 4, run.explain())
        self.assertRegex(run.result["broken"], "^nothing ")

    def test_one_that_makes_no_connection(self):
        run = self.loop(f"{sys.executable} -c no_such_thing({{count}}) {{address}}")
        self.assertRegex(run.result["broken"], "client exited with status 1 after 0 connections; it said: "
                                               "\"NameError: name 'no_such_thing' is not defined\"")
        run = self.loop(f"{sys.executable} -c print({{count}}) {{address}}")
        said = "client exited with status 0 after 0 connections; a run of --loop must make its {count} connections"
        self.assertRegex(run.result["broken"], f"^{re.escape(said)}; it said: \"[0-9]+\"; its log: ")
        self.assertIn(f"INVALID the run broke: {said}; it said: ", " ".join(run.out.split()))

    def test_mistakes_are_refused_before_anything_is_started(self):
        client = ("--client", "curl https://{address}/[1-{count}]")
        for options, said in (
                (("--loop", "12"), "--loop 12: has a meaning only with --client"),
                (("--client", "curl https://{address}/", "--loop", "12"), "--loop 12: the command of --client has no {count}"),
                (client, "{count} stands for nothing here"),
                ((*client, "--loop", "3"), "--loop 3: from 12: fewer runs don't tell a leak from what differs by chance"),
                ((*client, "--loop", "49"), "--loop 49: at most 48"),
                ((*client, "--loop", "12", "--closed", "100"), "--closed 100: too few in all for 12 runs; give --closed "),
                ((*client, "--loop", "12", "--closed", "1k", "--sensitivity", "1/1000"),
                 "too few in all for 12 runs and --sensitivity 1/1000; give --closed "),
                ((*client, "--loop", "12", "--conns", "1"), "--conns 1: a run of --loop is looked at when it has ended"),
                ((*client, "--loop", "12", "--for", "1m"), "--loop says how many runs there are"),
                ((*client, "--loop", "12", "--until-sure"), "are planned beforehand"),
                ((*client, "--loop", "12", "--processes", "main"), "what the program itself holds at its end is judged"),
                ((*client, "--loop", "12", "--on-checkpoint", "true"), "has ended when it is looked at"),
                ((*client, "--loop", "12", "--no-probe"), "only the probe's page outlives the program")):
            run = self.soak(*options)
            self.assertEqual((run.exit, run.folder), (2, None), run.explain())
            self.assertIn(said, run.err)


if __name__ == "__main__":
    unittest.main()
