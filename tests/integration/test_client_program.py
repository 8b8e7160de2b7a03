# SPDX-License-Identifier: Apache-2.0
"""--client: a client program under the meter, and soak-server as its load."""

import os
import select
import shutil
import socket
import ssl
import subprocess
import sys
import unittest
from pathlib import Path

from patience import PATIENCE_S as WAIT_S, until
from probe_page import page_make
from soak_run import SoakTest

SERVER = os.path.join(os.environ["SOAK_BIN"], "soak-server")
CLIENTS = Path(__file__).parents[2] / "scenarios/clients"
SHORT = ("--closed", "200", "--conns", "1", "--seed", "7f3a")
# tests/servers/planter.c
PLANTER = os.path.join(os.environ["SOAK_BIN"], "libsoak-planter.so")
PLANTED_BYTES = 48
# The states of TCP (linux/tcp_states.h) when the server has ended a connection: after a close_notify it
# waits for the client to close.
ENDS = {1: "close", 7: "reset", 8: "fin"}


class JudgedTest(SoakTest):
    def client(self, command, *options):
        run = self.soak("--client", command, *SHORT, *options)
        self.assertIsNotNone(run.result, run.explain())
        return run

    def judged(self, run):
        self.assertIsNone(run.result["broken"], run.explain())
        client, server = run.result["subjects"]
        self.assertEqual((client["name"], server["name"]), ("client", "server"))
        self.assertTrue(client["selfcheck"]["planted"]["found"], run.explain())
        return client

    def test_a_clean_one_passes(self):
        for tls in ("1.2", "1.3"):
            run = self.client(f"{sys.executable} {CLIENTS}/conf/python_client.py {{address}}", "--tls", tls)
            client = self.judged(run)
            self.assertEqual((run.exit, client["verdict"]), (0, "PASS"), run.explain())
            blocks = {m["id"]: m for m in client["metrics"]}["openssl_blocks"]
            self.assertEqual((blocks["per_conn"], blocks["state"]), (0, "level"), run.explain())
            self.assertEqual(run.result["run"]["closed"], 200)
            self.assertIsNone(run.result["run"]["asked_per_s"])

    def test_how_a_program_is_measured_can_be_chosen_for_it_too(self):
        run = self.client(f"{sys.executable} {CLIENTS}/conf/python_client.py {{address}}", "--settle", "200ms",
                          "--on-checkpoint", "touch {work}/looked", "--processes", "main", "--stop", "INT",
                          "--malloc-hooks")
        client = self.judged(run)
        self.assertEqual((run.exit, client["verdict"]), (0, "PASS"), run.explain())
        self.assertEqual([p["flags"] for p in client["processes"]], ["malloc"], run.explain())
        self.assertEqual(os.listdir(os.path.join(run.folder, "work")), ["looked"])

    def scenario(self, name, *options):
        """A run of one of scenarios/clients, which is named for its program."""
        if not shutil.which(f"{name}3" if name == "python" else name):
            self.skipTest(f"{name} is not installed (scripts/needs.txt)")
        run = self.soak(str(CLIENTS / f"{name}.soak"), *SHORT, *options)
        self.assertIsNotNone(run.result, run.explain())
        return run

    def leaks(self, name):
        """A block lost with each connection, in the program's own OpenSSL."""
        run = self.scenario(name, "--env", f"LD_PRELOAD={PLANTER}", "--env", "PLANT=openssl:1:client")
        client = self.judged(run)
        self.assertEqual((run.exit, client["verdict"]), (1, "LEAK"), run.explain())
        site = next(s for s in client["sites"] if s["file"] == "planted.c")
        self.assertEqual(site["kind"], "side-allocation-lost", run.explain())
        self.assertEqual(site["bytes"], PLANTED_BYTES * site["blocks"])
        self.assertAlmostEqual(site["per_conn_blocks"], 1, delta=0.05, msg=run.explain())

    def test_a_block_that_curl_loses_is_found(self):
        self.leaks("curl")

    def test_a_block_that_python_loses_is_found(self):
        self.leaks("python")

    def test_a_block_that_node_loses_is_found(self):
        self.leaks("node")

    def test_curl_passes(self):
        run = self.scenario("curl")
        self.assertEqual((run.exit, self.judged(run)["verdict"]), (0, "PASS"), run.explain())

    def test_node_is_no_leak(self):
        run = self.scenario("node")  # its heap is too lively for a run so short
        self.assertNotEqual(self.judged(run)["verdict"], "LEAK", run.explain())

    def test_one_that_ends_by_itself(self):
        run = self.client(f"{sys.executable} -c print(\"\") {{address}}")
        self.assertRegex(run.result["broken"], "^client exited with status 0 after 0 connections; its log: "
                                               ".*/client.log; it must connect again and again until it "
                                               "is told to end$")

    def test_one_that_dies(self):
        run = self.client(f"{sys.executable} -c import_nothing() {{address}}")
        self.assertRegex(run.result["broken"], "client exited with status 1 after 0 connections; it said: "
                                               "\"NameError: name 'import_nothing' is not defined\"")

    def test_mistakes_are_refused_before_anything_is_started(self):
        for options, said in (
                (("curl https://localhost/",), "nothing says where it is to connect: {address}, or {port}"),
                (("curl {address} {ca}",), "{ca} stands for nothing here"),
                (("curl {address}", "--server", "x"), "there is --server too; leave one of the two out"),
                (("curl {address}", "--mix", "reset", "--churn", "1/s"),
                 "--churn, --mix: soak's own client has this; leave it out with --client"),
                (("--endings", "reset"), "soak-client leaves as --mix says; it is for --client"),
                (("no-such-client {address}",), "--client: no-such-client: No such file or directory")):
            run = self.soak(*(() if options[0].startswith("--") else ("--client",)), *options)
            self.assertEqual((run.exit, run.folder), (2, None), run.explain())
            self.assertIn(said, run.err)


class PacedTest(unittest.TestCase):
    """soak-server --paced by its control socket."""

    def setUp(self):
        self.start()

    def start(self, *options):
        ours, theirs = socket.socketpair()
        self.page_fd, self.page = page_make()
        self.process = subprocess.Popen(
            [SERVER, "--paced", "--reply=hello\\n", f"--control-fd={theirs.fileno()}",
             f"--page-fd={self.page_fd}", *options],
            pass_fds=(theirs.fileno(), self.page_fd), stderr=subprocess.DEVNULL)
        theirs.close()
        ours.settimeout(WAIT_S)
        self.control, self.lines = ours, ours.makefile("r", encoding="utf-8")
        fd, process = self.page_fd, self.process
        for end in (lambda: os.close(fd), ours.close, self.lines.close, lambda: process.wait(WAIT_S),
                    process.kill):
            self.addCleanup(end)
        self.port = int(self.lines.readline().split("port=")[1].split()[0])
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE

    def say(self, line):
        self.control.sendall(line.encode() + b"\n")

    def begin(self):
        """A connection that waits for the server to accept it."""
        sock = socket.create_connection(("127.0.0.1", self.port))
        self.addCleanup(sock.close)
        return sock

    def served(self, sock):
        sock.settimeout(WAIT_S)
        with self.context.wrap_socket(sock) as tls:
            tls.sendall(b"?")
            self.assertEqual(tls.recv(100), b"hello\n")
            select.select([tls], [], [], WAIT_S)
            return ENDS[tls.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]]

    def how_it_ends(self, mix):
        self.say(f"epoch opens=1 mix={mix}")
        how = self.served(self.begin())
        self.assertRegex(self.lines.readline(), "^quiet ")
        return how

    def test_an_epoch_accepts_as_many_as_it_is_told_to(self):
        waiting = [self.begin() for _ in range(5)]
        self.say("epoch opens=3")
        for sock in waiting[:3]:
            self.served(sock)
        self.assertEqual(self.lines.readline(), "quiet opened=3 closed=3 oldest=0\n")
        self.page.epoch = 1
        self.say("epoch opens=2")
        for sock in waiting[3:]:
            self.served(sock)
        self.assertEqual(self.lines.readline(), "quiet opened=5 closed=5 oldest=1\n")
        row = self.page.behaviour[0]
        self.assertEqual((row.name, list(row.begun)[:2], list(row.ended)[:2]), (b"close", [3, 2], [3, 2]))

    def test_an_epoch_that_is_finished_early_is_quiet_once_its_connections_have_closed(self):
        self.say("epoch opens=100")
        sock = self.begin()
        until(lambda: self.page.app.opened == 1)
        self.say("finish")
        self.served(sock)
        self.assertEqual(self.lines.readline(), "quiet opened=1 closed=1 oldest=0\n")

    def test_a_handshake_that_fails_is_counted_apart(self):
        self.say("epoch opens=1")
        self.begin().close()
        self.assertEqual(self.lines.readline(), "quiet opened=1 closed=1 oldest=0\n")
        self.assertEqual((self.page.behaviour[1].name, self.page.behaviour[1].begun[0]), (b"failed", 1))
        self.assertEqual(self.page.app.failed, 1)

    def test_it_ends_connections_as_the_mix_of_the_epoch_says(self):
        self.start("--endings=close,reset=3,fin")
        self.assertEqual([self.how_it_ends(mix) for mix in ("1,0,0", "0,5,0", "0,0,1")], ["close", "reset", "fin"])
        rows = self.page.behaviour[:self.page.behaviours]
        self.assertEqual([(row.name, row.weight, row.ended[0]) for row in rows],
                         [(b"close", 1, 1), (b"reset", 3, 1), (b"fin", 1, 1), (b"failed", 0, 0)])

    def test_a_mix_that_makes_no_sense_is_refused(self):
        for mix in ("1,2", "0", "x", "1,"):
            self.start()
            self.say(f"epoch opens=1 mix={mix}")
            self.assertRegex(self.lines.readline(), "^fatal text=epoch: ")
            self.assertNotEqual(self.process.wait(WAIT_S), 0)

    def test_a_drain_keeps_who_waits_waiting(self):
        self.say("drain")
        self.assertEqual(self.lines.readline(), "drained\n")
        sock = self.begin()
        sock.settimeout(0.2)
        self.assertRaises(TimeoutError, sock.recv, 1)
        self.say("quit")
        self.assertEqual(self.process.wait(WAIT_S), 0)


if __name__ == "__main__":
    unittest.main()
