# SPDX-License-Identifier: Apache-2.0
"""--client: a client program under the meter, and soak-server as its load."""

import os
import select
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from patience import PATIENCE_S as WAIT_S, until
from probe_page import page_make
from soak_run import HAS_PROBE, NO_PROBE, SoakTest

SERVER = os.path.join(os.environ["SOAK_BIN"], "soak-server")
CLIENTS = Path(__file__).parents[2] / "scenarios/clients"
SHORT = ("--closed", "200", "--conns", "1", "--seed", "7f3a")
# tests/servers/planter.c
PLANTER = os.path.join(os.environ["SOAK_BIN"], "libsoak-planter.so")
PLANTED_BYTES = 48
PERL_TLS = Path("/usr/share/perl5/IO/Socket/SSL.pm")
# The states of TCP (linux/tcp_states.h) when the server has ended a connection: after a close_notify it
# waits for the client to close.
ENDS = {1: "close", 7: "reset", 8: "fin"}
BEHAVIOURS = ["close", "reset", "fin", "close-first", "goaway", "no-ticket", "many-tickets", "many-names",
              "require-cert"]
# Loses a block of the process's own OpenSSL for each certificate of many names.
LOSES_WITH_MANY_NAMES = """
import ctypes, socket, ssl, sys
host, port = sys.argv[1].split(":")
context = ssl.create_default_context(cafile=sys.argv[2])
path = next(line.split()[-1] for line in open("/proc/self/maps") if "/libcrypto" in line)
lose = ctypes.CDLL(path).CRYPTO_malloc
while True:
    with context.wrap_socket(socket.create_connection((host, int(port))), server_hostname=host) as tls:
        if len(tls.getpeercert()["subjectAltName"]) > 9:
            lose(48, b"names.c", 1)
        try:
            tls.sendall(b"?")
            while tls.recv(100):
                pass
        except ConnectionResetError:
            pass
"""


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
            run = self.client(f"{sys.executable} {CLIENTS}/conf/python_client.py {{address}} {{ca}}", "--tls", tls)
            client = self.judged(run)
            self.assertEqual((run.exit, client["verdict"]), (0, "PASS"), run.explain())
            blocks = {m["id"]: m for m in client["metrics"]}["openssl_blocks"]
            self.assertEqual((blocks["per_conn"], blocks["state"]), (0, "level"), run.explain())
            self.assertEqual(run.result["run"]["closed"], 200)
            self.assertIsNone(run.result["run"]["asked_per_s"])
            # Nobody times the handshakes of another program.
            self.assertIsNone(run.result["run"]["handshake_ns"]["histogram"])
            with open(os.path.join(run.folder, "report.html"), encoding="utf-8") as file:
                self.assertNotIn('id="handshakes"', file.read())

    def test_how_a_program_is_measured_can_be_chosen_for_it_too(self):
        run = self.client(f"{sys.executable} {CLIENTS}/conf/python_client.py {{address}} {{ca}}", "--settle", "200ms",
                          "--on-checkpoint", "touch {work}/looked", "--processes", "main", "--stop", "INT",
                          "--malloc-hooks")
        client = self.judged(run)
        self.assertEqual((run.exit, client["verdict"]), (0, "PASS"), run.explain())
        self.assertEqual([p["flags"] for p in client["processes"]], ["malloc"], run.explain())
        self.assertEqual(os.listdir(os.path.join(run.folder, "work")), ["looked"])

    def scenario(self, name, *options):
        """A run of one of scenarios/clients, which is named for its program."""
        if not shutil.which(f"{name}3" if name == "python" else name) or name == "perl" and not PERL_TLS.exists():
            self.skipTest(f"{name} is not installed (scripts/needs.txt)")
        if not HAS_PROBE:
            self.skipTest(NO_PROBE)
        run = self.soak(str(CLIENTS / f"{name}.soak"), *SHORT, *options)
        self.assertIsNotNone(run.result, run.explain())
        return run

    def leaks(self, name, objects=1):
        """A block lost with each SSL object, of which a connection has so many, in the program's own
        OpenSSL."""
        run = self.scenario(name, "--env", f"LD_PRELOAD={PLANTER}", "--env", "PLANT=openssl:1:client")
        client = self.judged(run)
        self.assertEqual((run.exit, client["verdict"]), (1, "LEAK"), run.explain())
        site = next(s for s in client["sites"] if s["file"] == "planted.c")
        self.assertEqual(site["kind"], "side-allocation-lost", run.explain())
        self.assertEqual(site["bytes"], PLANTED_BYTES * site["blocks"])
        self.assertAlmostEqual(site["per_conn_blocks"], objects, delta=0.05, msg=run.explain())

    def test_a_block_that_curl_loses_is_found(self):
        self.leaks("curl", objects=2)  # it makes one to look at its certificate

    def test_a_block_that_python_loses_is_found(self):
        self.leaks("python")

    def test_a_block_that_node_loses_is_found(self):
        self.leaks("node")

    def test_a_block_that_perl_loses_is_found(self):
        self.leaks("perl")

    def passes(self, name, behaviours):
        """Whatever the server does: all of it was done, and none failed."""
        run = self.scenario(name)
        client = self.judged(run)
        self.assertEqual((run.exit, client["verdict"]), (0, "PASS"), run.explain())
        self.assertEqual([b["name"] for b in client["behaviours"] if b["connections"]], behaviours, run.explain())

    def test_curl_passes(self):
        self.passes("curl", BEHAVIOURS)

    def test_perl_passes(self):
        self.passes("perl", [b for b in BEHAVIOURS if b != "goaway"])

    def test_a_leak_is_charged_to_what_the_server_does(self):
        script = Path(self.results, "client.py")
        script.write_text(LOSES_WITH_MANY_NAMES)
        run = self.client(f"{sys.executable} {script} {{address}} {{ca}}", "--server-mix",
                          "close,reset,many-names", "--cert-names", "30")
        client = self.judged(run)
        self.assertEqual(client["verdict"], "LEAK", run.explain())
        self.assertEqual({b["name"]: b["verdict"] for b in client["behaviours"]},
                         {"close": "innocent", "reset": "innocent", "many-names": "guilty"}, run.explain())
        self.assertEqual(client["behaviours"][2]["blocks"], 1, run.explain())

    def test_node_is_no_leak(self):
        run = self.scenario("node")  # its heap is too lively for a run so short
        self.assertNotEqual(self.judged(run)["verdict"], "LEAK", run.explain())

    def test_one_that_is_not_counted(self):
        run = self.client(f"/usr/bin/env -i {sys.executable} {CLIENTS}/conf/python_client.py {{address}} {{ca}}")
        self.assertEqual(run.exit, 4, run.explain())
        self.assertRegex(run.result["broken"], "^nothing of the client's allocations is counted: it "
                                               r"\(process \d+\) was started with an environment of its own, without LD_PRELOAD")

    def test_a_process_for_each_connection_shows_nothing(self):
        script = Path(self.results, "again.sh")
        script.write_text("while :; do curl -s --cacert $2 -o /dev/null https://$1/; done\n")
        run = self.client(f"/bin/sh {script} {{address}} {{ca}}", "--closed", "100")
        # Which, depends on whether a curl was there to be counted when soak looked.
        self.assertIn((run.exit, run.result["verdict"]), ((3, "INCONCLUSIVE"), (4, "INVALID")), run.explain())
        self.assertRegex(" ".join(run.out.split()), "has ended since; one process has to stay|"
                                                    "no process of the client that makes connections lives long enough|"
                                                    "ledger counted nothing")

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
                (("curl {address} {pid}",), "{pid} stands for nothing here"),
                (("curl {address}", "--client-auth", "require"), "--server-mix require-cert"),
                (("curl {address}", "--server-mix", "close,goaway"), "goaway needs --alpn h2"),
                (("curl {address}", "--server", "x"), "there is --server too; leave one of the two out"),
                (("curl {address}", "--mix", "reset", "--churn", "1/s"),
                 "--churn, --mix: soak's own client has this; leave it out with --client"),
                (("--server-mix", "reset"),
                 "to soak-client the server does as --mix says; it is for --client"),
                (("curl {address}", "--server-mix", "close=0"), "nothing would be done; give one a weight"),
                (("--cert-names", "5"), "has a meaning only with --client"),
                (("curl {address}", "--cert-names", "5", "--server-mix", "close,reset"),
                 "--cert-names 5: no certificate with many names is shown; give --server-mix many-names"),
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

    def start_only(self, behaviour, *options):
        """A server that does this with each connection, by an authority that `context` has a
        certificate of."""
        folder = tempfile.mkdtemp(prefix="soak-paced-")
        self.addCleanup(shutil.rmtree, folder)
        authority = os.path.join(folder, "authority.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=authority",
                        "-keyout", authority + ".key", "-out", authority + ".cert"], check=True,
                       stderr=subprocess.DEVNULL)
        Path(authority).write_bytes(Path(authority + ".cert").read_bytes() + Path(authority + ".key").read_bytes())
        self.start(f"--server-mix={behaviour}", f"--authority={authority}", *options)
        self.context = ssl.create_default_context(cafile=authority + ".cert")
        self.authority = authority
        self.say("epoch opens=1")

    def row(self, name):
        return next(r for r in self.page.behaviour[:self.page.behaviours] if r.name == name.encode())

    def wrapped(self):
        sock = self.begin()
        sock.settimeout(WAIT_S)
        return self.context.wrap_socket(sock, server_hostname="127.0.0.1")

    def quiet(self, problem=""):
        if problem:
            self.assertRegex(self.lines.readline(), f"^problem .*{problem}")
        self.assertRegex(self.lines.readline(), "^quiet ")

    def say(self, line):
        self.control.sendall(line.encode() + b"\n")

    def begin(self):
        """A connection that waits for the server to accept it."""
        sock = socket.create_connection(("127.0.0.1", self.port))
        self.addCleanup(sock.close)
        return sock

    def served(self, sock, **how):
        sock.settimeout(WAIT_S)
        with self.context.wrap_socket(sock, **how) as tls:
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
        self.start("--server-mix=close,reset=3,fin")
        self.assertEqual([self.how_it_ends(mix) for mix in ("1,0,0", "0,5,0", "0,0,1")], ["close", "reset", "fin"])
        rows = self.page.behaviour[:self.page.behaviours]
        self.assertEqual([(row.name, row.weight, row.ended[0]) for row in rows],
                         [(b"close", 1, 1), (b"reset", 3, 1), (b"fin", 1, 1), (b"failed", 0, 0)])

    def test_its_certificate_is_by_the_authority_and_for_the_address(self):
        self.start_only("close")
        self.assertEqual(self.served(self.begin(), server_hostname="127.0.0.1"), "close")
        self.quiet()

    def test_it_shows_as_many_names_as_it_is_told_to(self):
        self.start_only("many-names", "--cert-names=300")
        with self.wrapped() as tls:
            names = [name for kind, name in tls.getpeercert()["subjectAltName"] if kind == "DNS"]
        self.assertEqual((len(names), len(set(names)), names[0]), (300, 300, "localhost"))
        self.quiet()
        self.assertEqual(self.row("many-names").ended[0], 1)

    def test_it_requires_a_certificate(self):
        self.start_only("require-cert")
        with self.wrapped() as tls, self.assertRaises(OSError):
            tls.sendall(b"?")
            tls.recv(100)
        self.quiet("peer did not return a certificate")
        self.assertEqual((self.row("failed").ended[0], self.page.app.failed), (1, 1))
        self.context.load_cert_chain(self.authority)
        self.say("epoch opens=1")
        self.served(self.begin(), server_hostname="127.0.0.1")
        self.quiet()
        self.assertEqual((self.row("require-cert").ended[0], self.page.app.failed), (1, 1))

    def test_it_sends_tickets_as_it_is_told_to(self):
        for behaviour, count in (("close", 2), ("no-ticket", 0), ("many-tickets", 16)):
            self.start_only(behaviour)
            said = subprocess.run(["openssl", "s_client", "-ign_eof", "-connect", f"127.0.0.1:{self.port}",
                                   "-tls1_3"], input="?", capture_output=True, text=True, timeout=WAIT_S,
                                  check=False).stdout
            self.assertEqual(said.count("Post-Handshake New Session Ticket arrived"), count, behaviour)
            self.quiet()

    def test_it_closes_first(self):
        self.start_only("close-first")
        with self.wrapped() as tls:
            self.assertEqual(tls.recv(100), b"")
        self.quiet()
        self.assertEqual(self.row("close-first").ended[0], 1)

    def h2(self, pieces):
        """Says GET / over HTTP/2, in pieces, and returns the types of the frames that come."""
        # SETTINGS, and HEADERS with END_STREAM and END_HEADERS: GET, https, /, of the static table.
        request = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex(
            "000000040000000000" "000003010500000001" "828784")
        self.context.set_alpn_protocols(["h2"])
        frames, said = [], b""
        with self.wrapped() as tls:
            step = -(-len(request) // pieces)
            for i in range(0, len(request), step):
                tls.sendall(request[i:i + step])
            while part := tls.recv(4096):
                said += part
        while said:
            length = int.from_bytes(said[:3], "big")
            frames.append((said[3], said[9:9 + length]))
            said = said[9 + length:]
        return frames

    def test_it_says_goaway_behind_the_answer_over_http2(self):
        for behaviour, last in (("goaway", [(7, bytes([0, 0, 0, 1, 0, 0, 0, 0]))]), ("close", [])):
            for pieces in (1, 7):
                self.start_only(behaviour, "--alpn=h2")
                self.assertEqual(self.h2(pieces), [(4, b""), (4, b""), (1, b"\x88"), (0, b"hello\n")] + last)
                self.quiet()
                self.assertEqual(self.row(behaviour).ended[0], 1)

    def test_one_that_speaks_no_http2_is_not_counted_as_told_goaway(self):
        self.start_only("goaway", "--alpn=h2")
        self.served(self.begin(), server_hostname="127.0.0.1")
        self.quiet()
        self.assertEqual(self.row("failed").ended[0], 1)

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
