# SPDX-License-Identifier: Apache-2.0
"""What the load is, and what isn't: peers that aren't ours, and connections that fail."""

import json
import os
import re
import signal
import socket
import struct
import unittest

import soak_run
import test_robust
from fixtures import free_port
from patience import LIMITS, PATIENCE_S, within_limits

RUN = ("--conns", "10", "--churn", "400/s", "--seed", "7f3a")
PEERS = (*RUN, *soak_run.RESUMED)


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Strangers(test_robust.Live):
    """A peer on the server's port that isn't the run's own client."""

    def begin(self):
        """A run that goes on until it is told to end, however slow its strangers are."""
        port = free_port()
        process = self.start(*PEERS, "--listen", f"127.0.0.1:{port}", "--for", "1h")
        self.wait_checkpoints(2)
        return process, port

    def end(self, process, checkpoints):
        self.wait_checkpoints(checkpoints)
        process.send_signal(signal.SIGINT)
        return self.finish(process)

    def opened(self):
        """The run's own connections at its last checkpoint."""
        with open(os.path.join(self.last(), "samples.jsonl"), encoding="utf-8") as f:
            lines = [json.loads(line) for line in f if line.endswith("\n")]
        return [s for s in lines if s["kind"] == "checkpoint"][-1]["client"]["connections"]["opened"]

    def ipv6_port(self):
        try:
            with socket.create_server(("::1", 0), family=socket.AF_INET6) as holder:
                return holder.getsockname()[1]
        except OSError as e:
            return self.skipTest(f"no IPv6 loopback: {e}")

    def begin_ipv6(self, *options):
        port = self.ipv6_port()
        process = self.start(*PEERS, "--listen", f"[::1]:{port}", "--for", "1h", *options)
        self.wait_checkpoints(2)
        return process, port

    def visit_often(self, host, port, count=0):
        """Far more strangers than one in a hundred, also of what the epoch under way adds."""
        while count < 60 or count * 20 < self.opened():
            self.stay(port, host).close()
            count += 1
        return count

    def stay(self, port, host="127.0.0.1"):
        """Connects and doesn't leave by itself."""
        sock = socket.create_connection((host, port), timeout=PATIENCE_S)
        self.addCleanup(sock.close)
        return sock

    def assert_only_ours(self, run):
        last = run.checkpoints()[-1]
        for counter in ("opened", "closed", "established"):
            self.assertEqual(last["server"]["connections"][counter], last["client"]["connections"][counter],
                             counter)

    def test_a_few_are_counted_apart_and_turned_away(self):
        process, port = self.begin()
        staying = [self.stay(port) for _ in range(3)]
        reset(self.stay(port))
        for sock in staying:
            self.assertEqual(sock.recv(1), b"")
        run = self.end(process, 9)
        self.assertEqual(run.result["verdict"], "PASS", run.explain())
        self.assertEqual(run.result["run"]["foreign"], 4, run.explain())
        self.assertIn("4 connections to the server's port came from elsewhere: turned away",
                      " ".join(run.out.split()))
        self.assertIs(run.result["run"]["foreign_served"], False)
        self.assert_only_ours(run)

    def own_address(self, process):
        """One of the run's network, which whoever may see the machine's processes may see."""
        with open(f"/proc/{self.child(process, 'soak-server')}/cmdline", encoding="utf-8") as f:
            net, = re.findall(r"--client-net=([\d.]+)\.0\0", f.read())
        return net + ".77"

    def test_those_that_take_an_address_of_the_run_are_told_as_served(self):
        process, port = self.begin()
        for host in [self.own_address(process)] * 3 + ["127.0.0.1"]:
            socket.create_connection(("127.0.0.1", port), PATIENCE_S, (host, 0)).close()
        run = self.end(process, 5)
        self.assertEqual(run.result["run"]["foreign"], 4, run.explain())
        self.assertIs(run.result["run"]["foreign_served"], True, run.explain())
        self.assertIn("4 connections to the server's port came from elsewhere: those with an address of the run's own "
                      "were served like its load", " ".join(run.out.split()))

    def test_many_make_the_run_invalid(self):
        process, port = self.begin()
        count = self.visit_often("127.0.0.1", port)
        run = self.end(process, 3)
        self.assertEqual(run.result["verdict"], "INVALID", run.explain())
        self.assertEqual(run.result["run"]["foreign"], count)
        self.assertRegex(run.subject()["reasons"][0], f"^{count} connections from elsewhere")
        self.assert_only_ours(run)

    def test_over_ipv6_they_are_those_that_the_client_never_began(self):
        process, port = self.begin_ipv6()
        for _ in range(3):
            self.stay(port, "::1").close()
        self.wait_checkpoints(4)
        count = self.visit_often("::1", port, 3)
        run = self.end(process, 7)
        self.assertEqual(run.result["run"]["foreign"], count, run.explain())
        self.assertEqual(run.result["verdict"], "INVALID", run.explain())
        self.assertIn(f"{count} connections to the server's port came from elsewhere: those with an address of the "
                      "run's own were served", " ".join(run.out.split()))

    def test_over_ipv6_the_connections_that_emfile_closes_hide_none(self):
        process, port = self.begin_ipv6("--emfile", "10")
        count = self.visit_often("::1", port)
        run = self.end(process, 4)
        self.assertGreater(run.result["run"]["foreign"], count // 2, run.explain())
        self.assertEqual(run.result["verdict"], "INVALID", run.explain())

    def test_over_ipv6_one_that_stays_is_what_the_watchdog_names(self):
        process, port = self.begin_ipv6("--watchdog", test_robust.WATCHDOG)
        self.stay(port, "::1")
        run = self.finish(process)
        self.assertEqual(run.result["verdict"], "INVALID", run.explain())
        self.assertRegex(run.result["broken"], "^nothing moved for \\d+ s while waiting for the server to settle, "
                                               "beside 1 connection from elsewhere to its port ")


class Failures(soak_run.SoakTest):
    def test_the_first_failure_is_told_with_its_behaviour(self):
        run = self.soak(*RUN, "--closed", "1000", "--emfile", "50", "--mix", "clean")
        self.assertGreater(run.result["run"]["errors"]["total"], 0, run.explain())
        first = run.result["first_failure"]
        self.assertEqual(first["behaviour"], "clean")
        self.assertEqual(first["kind"], "handshake")
        self.assertIn("failed", first["text"])
        self.assertIn(f"the first (clean): {first['text']}", " ".join(run.out.split()))
        for name, text in (("client.log", f"clean: {first['text']}"),
                           ("server.log", "too many open files")):
            with open(os.path.join(run.folder, name), encoding="utf-8") as log:
                self.assertIn(text, log.read())

    def test_where_none_fails_there_is_none(self):
        run = self.soak(*RUN, "--closed", "500")
        self.assertIsNone(run.result["first_failure"], run.explain())
        self.assertEqual(run.result["run"]["foreign"], 0)


class Resumption(soak_run.SoakTest):
    def resumed_beside(self, *options):
        """A run whose clean connections resume while others ask for something of their own."""
        run = self.soak(*RUN, "--churn", "max", "--closed", "1200", "--resume", "50%", *options)
        self.assertEqual(run.result["run"]["errors"]["total"], 0, run.explain())
        self.assertIsNone(run.result["first_failure"])
        last = run.checkpoints()[-1]["client"]["connections"]
        self.assertGreater(last["resumed"], 100)

    def test_a_session_is_only_offered_with_what_it_was_made_with(self):
        for options in (("--tls", "1.2", "--mix", "max-fragment-512=1,clean=3"),
                        ("--tls", "1.3", "--mix", "max-fragment-512=1,clean=3"),
                        ("--tls", "1.2", "--mix", "external-psk=1,clean=3", "--psk"),
                        ("--tls", "1.3", "--mix", "external-psk=1,clean=3", "--psk"),
                        ("--tls", "1.2", "--mix", "sni-other=1,clean=3", "--sni-switch")):
            with self.subTest(options=options):
                self.resumed_beside(*options)


class Combinations(soak_run.SoakTest):
    """Pairs of options and behaviours that failed on a clean server."""

    def test_no_connection_fails(self):
        for options in (("--resume", "100%", "--mix", "early-ccs=1,clean=3"),
                        ("--key", "both", "--client-auth", "require", "--mix", "key-rsa=1,clean=3")):
            with self.subTest(options=options):
                run = self.combined(*options)
                self.assertIsNone(run.result["first_failure"], run.explain())

    def combined(self, *options):
        return self.soak(*RUN, "--churn", "max", "--closed", "800", "--tls", "1.2", *options)

    def test_no_connection_fails_beside_those_that_stall(self):
        run = within_limits(lambda limit: self.combined("--resume", "100%", "--handshake-timeout", limit, "--mix",
                                                        "stall-key-exchange=1,clean=60"),
                            lambda run: not run.result["first_failure"], LIMITS[1:])
        self.assertIsNone(run.result["first_failure"], run.explain())

    def test_a_context_that_is_replaced_leaves_no_doubt(self):
        for conns, closed, session in (("80", "1900", "cache"), ("80", "1600", "ticket"),
                                       ("20", "1000", "cache")):
            with self.subTest(conns=conns, closed=closed, session=session):
                run = self.soak("--seed", "3", "--churn", "max", "--ctx-reload", "300", "--conns",
                                conns, "--closed", closed, "--session", session)
                self.assertEqual(run.result["verdict"], "PASS", run.explain())
                # One at each checkpoint: the one before has died with its last connection.
                self.assertEqual({c["server"]["census"]["SSL_CTX"] for c in run.checkpoints()},
                                 {1})


if __name__ == "__main__":
    unittest.main()
