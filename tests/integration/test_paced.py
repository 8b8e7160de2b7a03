# SPDX-License-Identifier: Apache-2.0
"""soak-server --paced, the load of a client program, by its control socket."""

import os
import select
import shutil
import socket
import ssl
import subprocess
import tempfile
import unittest
from pathlib import Path

from patience import PATIENCE_S as WAIT_S, until
from probe_page import page_make

SERVER = os.path.join(os.environ["SOAK_BIN"], "soak-server")
# The states of TCP (linux/tcp_states.h) when the server has ended a connection: after a close_notify it
# waits for the client to close.
ENDS = {1: "close", 7: "reset", 8: "fin"}


class PacedTest(unittest.TestCase):
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
        return self.wrap(self.begin())

    def wrap(self, sock):
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

    def done(self, name):
        """The connection of this epoch was quiet, and is counted as `name`."""
        self.quiet()
        self.assertEqual(self.row(name).ended[0], 1, name)
        self.say("epoch opens=1")

    def test_an_end_that_the_client_forestalls_is_not_counted_as_done(self):
        for behaviour in ("reset", "fin", "goaway"):
            self.start_only(behaviour, "--alpn=h2")
            self.context.set_alpn_protocols(["h2"])
            with self.wrapped() as tls:
                tls.unwrap()
            self.done("failed")

    def test_a_client_that_says_nothing_was_closed_in_order_and_shown_what_was_drawn(self):
        for behaviour in ("close", "no-ticket", "many-names"):
            self.start_only(behaviour)
            with self.wrapped() as tls:
                tls.unwrap()
            self.done(behaviour)

    def test_many_tickets_are_not_sent_with_tls_1_2(self):
        self.start_only("many-tickets", "--tls=any")
        for version, name in ((ssl.TLSVersion.TLSv1_2, "failed"), (ssl.TLSVersion.TLSv1_3, "many-tickets")):
            self.context.maximum_version = version
            self.served(self.begin(), server_hostname="127.0.0.1")
            self.done(name)

    def test_a_session_is_not_resumed_where_the_whole_handshake_was_drawn(self):
        for behaviour, resumes in (("close", True), ("many-names", False), ("many-tickets", False),
                                   ("require-cert", False)):
            self.start_only(behaviour, "--tls=1.2" if behaviour != "many-tickets" else "--tls=1.3")
            self.context.load_cert_chain(self.authority)
            session = None
            for _ in range(2):
                with self.context.wrap_socket(self.begin(), server_hostname="127.0.0.1", session=session) as tls:
                    tls.sendall(b"?")
                    self.assertEqual(tls.recv(100), b"hello\n")
                    session, reused = tls.session, tls.session_reused
                self.quiet()
                self.say("epoch opens=1")
            self.assertEqual((reused, self.row(behaviour).ended[0]), (resumes, 2), behaviour)

    def test_an_epoch_that_is_finished_early_is_quiet_once_its_connections_have_closed(self):
        self.say("epoch opens=100")
        sock = self.begin()
        until(lambda: self.page.app.opened == 1)
        self.say("finish")
        self.served(sock)
        self.assertEqual(self.lines.readline(), "quiet opened=1 closed=1 oldest=0\n")

    def test_an_epoch_that_is_finished_early_waits_for_none_that_says_nothing(self):
        self.start(f"--handshake-timeout={1000 * WAIT_S}s")
        self.say("epoch opens=100")
        self.begin()
        sock = self.wrapped()
        self.say("finish")
        self.assertEqual(self.lines.readline(), "quiet opened=2 closed=1 oldest=0\n")
        self.say("drain")
        self.assertEqual(sock.recv(100), b"")
        sock.unwrap().close()
        self.assertEqual(self.lines.readline(), "drained\n")

    def answered(self, tls):
        tls.sendall(b"?")
        self.assertEqual((tls.recv(100), tls.recv(100)), (b"hello\n", b""))
        tls.unwrap().close()

    def test_an_epoch_is_quiet_when_its_open_connections_wait_for_the_next_one(self):
        self.say("epoch opens=3")
        first, second, third = self.wrapped(), self.wrapped(), self.wrapped()
        self.answered(second)
        fourth = self.begin()
        self.assertEqual(self.lines.readline(), "quiet opened=3 closed=1 oldest=0\n")
        self.page.epoch = 1
        self.say("epoch opens=1")
        fourth = self.wrap(fourth)
        self.answered(first)
        self.answered(third)
        self.begin()
        self.assertEqual(self.lines.readline(), "quiet opened=4 closed=3 oldest=1\n")
        self.say("drain")
        self.assertEqual(fourth.recv(100), b"")
        fourth.unwrap().close()
        self.assertEqual(self.lines.readline(), "drained\n")

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

    def h2(self, pieces, stream=1):
        """Says GET / over HTTP/2, in pieces, and returns the types, streams and contents of the frames that come."""
        # SETTINGS, and HEADERS with END_STREAM and END_HEADERS: GET, https, /, of the static table.
        request = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex(
            f"000000040000000000" f"0000030105{stream:08x}" "828784")
        frames, said = [], b""
        with self.wrapped_h2() as tls:
            step = -(-len(request) // pieces)
            for i in range(0, len(request), step):
                tls.sendall(request[i:i + step])
            while part := tls.recv(4096):
                said += part
        while said:
            length = int.from_bytes(said[:3], "big")
            frames.append((said[3], int.from_bytes(said[5:9], "big"), said[9:9 + length]))
            said = said[9 + length:]
        return frames

    def wrapped_h2(self):
        self.context.set_alpn_protocols(["h2"])
        return self.wrapped()

    def test_it_answers_the_first_request_over_http2_and_says_goaway_behind_it(self):
        hello = [(4, 0, bytes.fromhex("00047fffffff")), (8, 0, bytes.fromhex("7fff0000")), (4, 0, b"")]
        for behaviour, stream in (("goaway", 1), ("close", 3)):
            last = [(7, 0, bytes([0, 0, 0, stream, 0, 0, 0, 0]))] if behaviour == "goaway" else []
            for pieces in (1, 7):
                self.start_only(behaviour, "--alpn=h2")
                answer = [(1, stream, b"\x88"), (0, stream, b"hello\n")]
                self.assertEqual(self.h2(pieces, stream), hello + answer + last)
                self.done(behaviour)

    def test_a_client_that_waits_for_the_settings_before_it_asks_gets_them(self):
        self.start_only("close", "--alpn=h2")
        with self.wrapped_h2() as tls:
            tls.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\4" + bytes(5))
            self.assertEqual(tls.recv(4), b"\0\0\6\4")
        self.done("close")

    def test_a_body_over_http2_is_larger_than_the_window_that_a_client_begins_with(self):
        self.start_only("close", "--alpn=h2")
        body = Path(os.path.dirname(self.authority), "body")
        body.write_bytes(bytes(300_000))
        said = subprocess.run(["curl", "-sS", "--http2", "--cacert", self.authority, "--data-binary", f"@{body}",
                               "-w", "%{http_version} %{size_upload}", f"https://127.0.0.1:{self.port}/"],
                              capture_output=True, text=True, timeout=WAIT_S, check=True).stdout
        self.assertEqual(said, "hello\n2 300000")
        self.done("close")

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
