# SPDX-License-Identifier: Apache-2.0
"""Several client and server processes in one run: exact counts over all of them, one verdict."""

import glob
import os
import re
import resource
import signal
import subprocess
import unittest

import soak_run
import test_robust
from patience import until
from processes import children_named

PAIRS = ("--client-procs", "2", "--server-procs", "2", "--conns", "40", "--churn", "max", "--seed", "7f3a")
RESUMING = (*PAIRS, *soak_run.RESUMED)


def listeners_of(pid):
    """The inodes of sockets that it has, and that listen."""
    sockets = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            sockets.update(re.findall(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{fd}")))
        except OSError:
            continue
    with open(f"/proc/{pid}/net/tcp", encoding="utf-8") as f:
        return {row[9]: row[1] for row in map(str.split, f.readlines()[1:]) if row[3] == "0A" and row[9] in sockets}


class Several(test_robust.Live):
    """Two client processes and two server processes."""

    def assert_exact(self, run, conns=40):
        """At every checkpoint both sides count the same, to the connection, and hold as many as asked."""
        for checkpoint in run.checkpoints():
            server, client = (checkpoint[side]["connections"] for side in ("server", "client"))
            self.assertEqual(client["established"], conns)
            self.assertEqual(client["in_flight"], 0)
            self.assertEqual(checkpoint["server"]["census"]["SSL"], conns)
            self.assertEqual((server["opened"], server["closed"]), (client["opened"], client["closed"]))
        self.assertEqual(run.result["run"]["errors"]["total"], 0)
        for side in ("server", "client"):
            self.assertEqual(run.subject(side)["selfcheck"]["sentence"],
                             "found the block lost on purpose; no alarm at 3 harmless ones", run.explain())

    def test_a_clean_run_counts_exactly_over_all_processes(self):
        run = self.soak(*PAIRS, "--closed", "4k")
        self.assertEqual(run.exit, 0, run.explain())
        self.assert_exact(run)
        self.assertEqual(run.checkpoints()[0]["client"]["connections"]["opened"], 40 + 125)
        for name in ("server.log", "server-2.log", "client.log", "client-2.log"):
            self.assertTrue(os.path.exists(os.path.join(run.folder, name)), name)

    def test_a_leak_has_its_rate_its_site_and_its_stack(self):
        run = self.soak(*RESUMING, "--defect", "lost-state:1/3", "--closed", "4k")
        self.assertEqual(run.exit, 1, run.explain())
        self.assert_exact(run)
        site = run.subject()["sites"][0]
        self.assertEqual((site["file"], site["kind"]), ("server/defect.c", "side-allocation-lost"))
        self.assertAlmostEqual(site["per_conn_blocks"], 1 / 3, delta=0.01)
        self.assertIn("lost_state_accept", run.out)

    def test_sessions_are_resumed_at_any_of_the_servers(self):
        run = self.soak(*PAIRS, "--closed", "1k", "--resume", "100%", "--mix", "clean")
        last = run.checkpoints()[-1]["client"]["connections"]
        self.assertEqual(run.result["run"]["errors"]["total"], 0)
        # Each of the client's threads has to begin with a full handshake.
        self.assertGreater(last["resumed"], last["handshakes"] * 3 // 4, run.explain())

    def test_held_connections_are_operated_on_by_their_processes(self):
        run = self.soak(*PAIRS, "--operate", "request", "--closed", "2k")
        self.assertEqual(run.exit, 0, run.explain())
        self.assertEqual(run.checkpoints()[-1]["client"]["connections"]["opened"], 40)

    def test_a_killed_client_process_is_named(self):
        process = self.start(*RESUMING, "--for", "1h")
        self.wait_checkpoints(2)
        servers = children_named(process.pid, "soak-server")
        ports = [port for pid in servers for port in listeners_of(pid).values()]
        self.assertEqual((len(ports), len(set(ports))), (2, 1), ports)
        clients = children_named(process.pid, "soak-client")
        self.assertEqual(len(clients), 2)
        os.kill(clients[1], signal.SIGKILL)
        run = self.finish(process)
        said = " ".join((run.out + run.err).split())
        self.assertEqual(run.exit, 4, run.explain())
        self.assertRegex(said, r"client 2 of 2 exited with signal 9 \(SIGKILL\) after [\d,]+ connections")
        until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in servers + clients), "all have ended")


class Files(soak_run.SoakTest):
    """Connections for which one process has too few files."""

    LOAD = ("--conns", "800", "--churn", "max", "--closed", "3200", "--client-workers", "1")

    def with_files(self, *options, files=1000):
        # pylint: disable=subprocess-popen-preexec-fn # the test has one thread
        process = subprocess.run(
            self.command(*self.LOAD, *options), capture_output=True, text=True, timeout=soak_run.PATIENCE_S,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files)), check=False)
        return soak_run.Run(process, self.last())

    def test_the_refusal_says_how_many_processes_are_enough(self):
        run = self.with_files()
        self.assertEqual(run.exit, 2, run.explain())
        self.assertIn("soak: --conns 800 needs 1376 open files in one process and the hard limit is 1000; give "
                      "--client-procs=2 --server-procs=2, or raise it with 'ulimit -Hn 1376'", run.err)
        run = self.with_files("--client-procs", "2", "--server-procs", "2")
        self.assertIn(run.exit, (0, 3), run.explain())
        self.assertEqual(run.result["run"]["errors"]["total"], 0)
        self.assertEqual({c["client"]["connections"]["established"] for c in run.checkpoints()}, {800})

    def test_the_refusal_names_no_processes_where_more_of_them_do_not_help(self):
        run = self.with_files("--conns", "2000", "--closed", "8000", "--server", "sleep {port}", files=2700)
        self.assertEqual(run.exit, 2, run.explain())
        self.assertIn("soak: --conns 2000 needs 2756 open files in one process and the hard limit is 2700; raise it "
                      "with 'ulimit -Hn 2756', or hold fewer connections", run.err)

    def test_the_refusal_names_one_worker_only_where_that_is_enough(self):
        for files, hint in ((1024, ", or give --client-workers 1"), (700, "")):
            run = self.with_files("--conns", "300", "--closed", "1300", "--client-workers", "4", files=files)
            self.assertEqual(run.exit, 2, run.explain())
            self.assertTrue(run.err.endswith(f", or hold fewer connections{hint}\n"), run.err)


class Endurance(soak_run.SoakTest):
    """`soak selftest --endurance`: what it says, of a run that is cut short or can't be kept, too."""

    FLAT = (r"flat  [\d,]+{of} connections, TLS 1.2 resumption: verdict {verdict}, 0 errors; \d+ checkpoints; "
            r"server \d+ blocks; client \d+ blocks; soak's own heap grew by at most \d+ B within an epoch, ")

    def endure(self, connections, before=""):
        return subprocess.Popen(
            ["bash", "-c", f"{before} exec {soak_run.SOAK} selftest --endurance {connections}"], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": self.results})

    def end_of(self, process):
        out, err = process.communicate(timeout=soak_run.PATIENCE_S)
        return process.returncode, out, err

    def checkpoints(self):
        lines = []
        for path in glob.glob(f"{self.results}/soak-selftest-*/1/*/samples.jsonl"):
            with open(path, encoding="utf-8") as f:
                lines += [line for line in f if '"kind":"checkpoint"' in line]
        return len(lines)

    def test_a_run_to_its_end_is_flat_in_every_epoch(self):
        code, out, err = self.end_of(self.endure("2k"))
        self.assertEqual(code, 0, out + err)
        self.assertRegex(out, "^" + self.FLAT.format(of="", verdict="PASS"))
        self.assertEqual(os.listdir(self.results), [])

    def test_an_interrupted_run_says_what_it_has_seen(self):
        process = self.endure("100k")
        until(lambda: self.checkpoints() >= 9, "three checkpoints behind the warm-up")
        process.send_signal(signal.SIGINT)
        code, out, err = self.end_of(process)
        self.assertEqual(code, 130, out + err)
        self.assertRegex(out, "^interrupted, until then " + self.FLAT.format(of=" of 100,000", verdict="[A-Z]+"))
        self.assertEqual(os.listdir(self.results), [])

    def test_a_folder_without_room_is_no_finding(self):
        code, out, err = self.end_of(self.endure("1k", before="ulimit -Sf 4;"))
        self.assertEqual(code, 4, out + err)
        self.assertRegex(err, r"^soak: selftest: .*/result\.json: the limit of a file's size .*; raise it with "
                              r"'ulimit -f unlimited'\n$")


class Campaign(soak_run.SoakTest):
    """`soak selftest --campaign`: its runs are real ones, and it goes on where it ended."""

    def campaign(self, which, runs):
        done = subprocess.run([soak_run.SOAK, "selftest", "--campaign", which, "--seed", "7", "--runs", str(runs),
                               "--results", self.results], text=True, capture_output=True, check=False,
                              timeout=soak_run.PATIENCE_S, env={**os.environ, "TMPDIR": self.results})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_a_leak_at_the_printed_rate_is_found_and_its_runs_are_kept(self):
        self.assertRegex(self.campaign("sensitivity", 1), r"\n\| all \| 1 \| 1 \| 0 .*\n\nmissed: 0 of 1, ")
        out = self.campaign("sensitivity", 2)
        self.assertRegex(out, r"^1 of \d runs done before, in .*\n")
        self.assertRegex(out, r"\n\| all \| 2 \| 2 \| 0 ")

    def test_a_clean_run_is_no_alarm(self):
        self.assertRegex(self.campaign("clean", 1), r"\n\| all \| 1 \| 1 \| 0 .*\n\nfalse alarms: 0 of 1, ")


class Network(soak_run.SoakTest):
    """In a network namespace of the test's own: others' packets aren't counted."""

    def test_no_connection_attempt_is_lost_at_full_speed(self):
        enter = ["unshare", "--net", "--map-root-user"]
        if subprocess.run([*enter, "ip", "link", "set", "lo", "up"], capture_output=True, check=False).returncode:
            self.skipTest("SKIP: unshare(1) may not make a network namespace here, or there is no ip(8)")
        command = " ".join(self.command(*PAIRS, "--closed", "4k", "--mix", "clean", "--quiet"))
        done = subprocess.run([*enter, "sh", "-c", f"ip link set lo up; {command} >&2; cat /proc/net/netstat"],
                              capture_output=True, text=True, timeout=soak_run.PATIENCE_S, check=False)
        rows = [line.split() for line in done.stdout.splitlines() if line.startswith("TcpExt:")]
        counters = dict(zip(rows[0][1:], map(int, rows[1][1:])))
        self.assertIn("PASS", done.stderr)
        for name in ("TCPSynRetrans", "ListenOverflows", "ListenDrops"):
            self.assertEqual(counters[name], 0, name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
