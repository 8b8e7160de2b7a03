# SPDX-License-Identifier: Apache-2.0
"""soak-client against servers that aren't soak-server: --foreign, --say, --answer, --client-cert."""

import contextlib
import os
import re
import ssl
import subprocess
import sys
import time
import unittest

from fixtures import make_certificate
from listener import Listener
from load_case import CLIENT, LoadCase
from patience import PATIENCE_S as WAIT_S, within_limits
from soak_run import SoakTest

PROGRAMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "foreign_programs.py")
REQUEST = "GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n"
REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n"


class Server(Listener):
    """TLS with blocking sockets: says `greeting`, then to each request `pieces`, one write and one
    packet each. `heard` is all that its peers said."""

    def __init__(self, certificate, pieces=(REPLY,), greeting=b"", answers=None, tls=ssl.TLSVersion.TLSv1_3,
                 tickets=2, client_ca=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.context.minimum_version = self.context.maximum_version = tls
        if tls == ssl.TLSVersion.TLSv1_3:
            self.context.num_tickets = tickets
        if client_ca:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(client_ca)
        self.pieces, self.greeting, self.answers, self.heard = pieces, greeting, answers, []
        super().__init__()

    def talk(self, sock, number):
        heard = b""
        try:
            with self.context.wrap_socket(sock, server_side=True) as tls:
                tls.sendall(self.greeting)
                served = 0
                while chunk := tls.recv(65536):
                    heard += chunk
                    while served < heard.count(b"\r\n\r\n"):
                        served += 1
                        self.answer(tls, served)
        except OSError:  # resets, and handshakes cut off
            pass
        self.heard.append(heard)

    def answer(self, tls, served):
        if self.answers is not None and served > self.answers:
            raise OSError("enough")
        for piece in self.pieces:
            tls.sendall(piece)
            if len(self.pieces) > 1:
                time.sleep(0.002)


class ClosingServer(Server):
    """Its answer and its close_notify leave in one packet."""

    def talk(self, sock, number):
        arriving, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.context.wrap_bio(arriving, leaving, server_side=True)
        with contextlib.suppress(OSError), sock:
            for step in (tls.do_handshake, lambda: tls.read(65536), lambda: tls.write(REPLY), tls.unwrap):
                while True:
                    try:
                        step()
                        break
                    except ssl.SSLWantReadError:
                        sock.sendall(leaving.read())
                        arriving.write(sock.recv(65536)) or arriving.write_eof()


class Case(LoadCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stranger = make_certificate(cls.folder.name, "stranger")

    def server(self, **options):
        server = Server(self.certificate, **options)
        self.addCleanup(server.close)
        return server

    def load(self, *options, closed=40, mix="clean"):
        return ["--conns=4", "--churn=max", "--workers=1", f"--closed={closed}", f"--mix={mix}", *options]

    def succeeds(self, server, *options, **load):
        done = self.completes(server.port, *self.load(*options, **load))
        server.ended()
        return done

    def refused_by(self, server, *options):
        return self.fails(server.port, *self.load(*options))


class SayTest(Case):
    def test_each_connection_says_the_text_and_waits_for_the_answer(self):
        for tls in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            server = self.server(tls=tls)
            self.succeeds(server, "--foreign", f"--say={REQUEST}", "--answer=hello")
            self.assertEqual(set(server.heard), {REQUEST.replace("\\r\\n", "\r\n").encode()})
            self.assertEqual(len(server.heard), 40)

    def test_the_answer_may_come_in_pieces(self):
        server = self.server(pieces=(b"HTTP/1.1 2", b"00 O", b"K\r\n", b"\r\n", b"hel", b"lo\n"))
        self.succeeds(server, "--foreign", f"--say={REQUEST}", "--answer=200 OK\\r\\n\\r\\nhello")

    def test_a_large_answer_is_read_and_thrown_away(self):
        server = self.server(pieces=(bytes(300_000) + b"the end",))
        self.succeeds(server, "--foreign", f"--say={REQUEST}", "--answer=the end")

    def test_without_answer_any_byte_will_do(self):
        server = self.server(pieces=(b"?",))
        self.succeeds(server, "--foreign", f"--say={REQUEST}")

    def test_a_server_that_speaks_first_is_heard(self):
        server = self.server(greeting=b"220 ready\r\n")
        self.succeeds(server, "--foreign", "--answer=220 ready")
        self.assertEqual(set(server.heard), {b""})

    def test_another_answer_is_none(self):
        server = self.server()
        late = "s in waiting for the echo or the answer; it said 'HTTP/1.1 200 OK', and not what --answer asks for"
        said = within_limits(lambda limit: self.refused_by(server, "--foreign", f"--timeout={limit}",
                                                           f"--say={REQUEST}", "--answer=goodbye"),
                             lambda said: late in said)
        self.assertIn(late, said)
        self.assertRegex(said, r"a connection \(clean\) took longer than [0-9]+m?s in waiting")

    def test_a_close_before_the_answer_is_a_failure(self):
        server = self.server(answers=0)
        said = self.refused_by(server, "--foreign", f"--say={REQUEST}", "--answer=hello")
        self.assertIn("a connection ended before its answer was whole: ", said)
        self.assertIn("; it said nothing", said)

    def test_a_close_right_after_the_answer_is_a_lost_connection(self):
        server = ClosingServer(self.certificate)
        self.addCleanup(server.close)
        said = self.refused_by(server, "--foreign", f"--say={REQUEST}", "--answer=hello")
        self.assertIn("an open connection was lost right after its answer: closed by the server; ", said)

    def test_what_a_server_says_instead_of_the_answer_is_told(self):
        server = self.server(greeting=b"-DENIED \x1b[7mprotected mode\r\nand more", answers=0)
        said = self.refused_by(server, "--foreign", f"--say={REQUEST}", "--answer=hello")
        self.assertRegex(said, r"; it said '-DENIED [^\x1b]\[7mprotected mode', and not what --answer asks for\n")

    def test_operations_say_the_text_each_time(self):
        server = self.server()
        self.succeeds(server, "--foreign", f"--say={REQUEST}", "--answer=hello", "--operate=request")
        requests = sum(heard.count(b"GET") for heard in server.heard)
        self.assertEqual(requests, 44)  # one by each connection at its begin, and 40

    def test_operations_update_the_keys_and_say_the_text(self):
        server = self.server()
        self.succeeds(server, "--foreign", f"--say={REQUEST}", "--answer=hello", "--operate=key-update")


class SilentTest(Case):
    def test_nothing_is_said_to_a_server_of_which_nothing_is_known(self):
        for options in ({}, {"tls": ssl.TLSVersion.TLSv1_2}, {"tickets": 0}):
            server = self.server(**options)
            self.succeeds(server, "--foreign")
            self.assertEqual(set(server.heard), {b""})
            self.assertEqual(len(server.heard), 40)

    def test_every_way_to_leave_works(self):
        server = self.server()
        done = self.succeeds(server, "--foreign", closed=200,
                             mix="clean,reset,half-close,mid-handshake,rst-finished,rst-ticket,rst-data,"
                                 "no-close-notify,bad-mac-data,bad-mac-finished,key-update,plain-http")
        self.assertNotIn("skipped", done.stderr)
        self.assertGreater(int(re.search(r"(\d+) aborted as intended", done.stdout)[1]), 50)

    def test_one_that_sends_no_ticket_is_left_when_it_has_had_its_time(self):
        done = self.succeeds(self.server(tickets=0), "--foreign", closed=20, mix="clean,rst-ticket,fin-ticket")
        self.assertGreater(int(re.search(r"(\d+) aborted as intended", done.stdout)[1]), 5)

    def test_a_refusal_after_the_handshake_is_a_failure(self):
        for tls in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            server = self.server(tls=tls, client_ca=self.certificate)
            said = self.refused_by(server, "--foreign")
            self.assertRegex(said, "(handshake failed|right after its handshake|was lost)")

    def test_the_certificate_is_shown(self):
        for tls in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            server = self.server(tls=tls, client_ca=self.certificate)
            self.succeeds(server, "--foreign", f"--client-cert={self.certificate}")
            said = self.refused_by(server, "--foreign", f"--client-cert={self.stranger}")
            self.assertIn("unknown ca", said)

    def test_what_only_soak_server_does_is_skipped_with_its_reason(self):
        server = self.server()
        done = self.succeeds(server, "--foreign", mix="clean,server-first,external-psk")
        self.assertIn("server-first is skipped: it needs a server that obeys requests", done.stderr)
        self.assertIn("external-psk is skipped: it needs a server that is set up for it", done.stderr)


class RefusedTest(Case):
    def refused(self, *options):
        done = subprocess.run([CLIENT, "--connect=127.0.0.1:1", *options], text=True, capture_output=True,
                              timeout=WAIT_S, check=False)
        self.assertNotEqual(done.returncode, 0)
        return done.stderr

    def test_mistakes_are_refused_with_a_way_out(self):
        self.assertIn("--say a\\q: '\\q' isn't \\r, \\n", self.refused("--say=a\\q"))
        self.assertIn("soak-server says nothing first; give --say", self.refused("--answer=hi"))
        self.assertIn("a foreign server echoes nothing; give --say",
                      self.refused("--foreign", "--operate=request"))
        self.assertIn("only soak-server sends tickets on request",
                      self.refused("--foreign", "--operate=ticket", "--say=hi"))
        self.assertIn("can be done here: it needs a server that obeys requests",
                      self.refused("--foreign", "--mix=server-first"))
        self.assertIn("/nowhere.pem", self.refused("--client-cert=/nowhere.pem", "--check"))


class WholeRunTest(SoakTest):
    """By way of soak --server."""

    def run_soak(self, *options):
        return self.soak("--server", f"{sys.executable} {PROGRAMS} serve {{address}} {{cert}} {{key}}",
                         "--closed", "200", "--conns", "10", "--churn", "max", "--seed", "7f3a", *options)

    def test_the_text_is_said_and_what_cannot_be_asked_for_is_skipped(self):
        run = self.run_soak("--say", "ping\\n", "--answer", "ping", "--mix",
                            "clean=9,resume-rotated,server-first,key-update")
        self.assertIsNotNone(run.result, run.explain())
        self.assertEqual([one["name"] for one in run.result["skipped"]], ["server-first", "resume-rotated"])
        self.assertIsNone(run.result["broken"])
        done = {b["name"] for b in run.result["subjects"][0]["behaviours"] if b["connections"]}
        self.assertEqual(done, {"clean", "key-update"}, run.explain())

    def refused(self, *options, builtin=False):
        run = self.soak(*options) if builtin else self.run_soak(*options)
        self.assertEqual(run.exit, 2, run.explain())
        self.assertIsNone(run.folder)
        return run.err

    def test_mistakes_are_refused_before_anything_is_started(self):
        self.assertIn("it needs a server that obeys requests, as only soak-server does",
                      self.refused("--mix", "server-first"))
        self.assertIn("--operate request: a foreign server echoes nothing; give --say TEXT",
                      self.refused("--operate", "request"))
        self.assertIn("--say a\\q: '\\q' isn't", self.refused("--say", "a\\q"))
        self.assertIn("/nowhere.pem", self.refused("--client-cert", "/nowhere.pem"))
        self.assertIn("--client-cert x: with --client-auth the clients show certificates made for the run",
                      self.refused("--client-cert", "x", "--client-auth", "require"))
        self.assertIn("soak-server says nothing first", self.refused("--answer", "hi", builtin=True))
        self.assertIn("soak-server echoes", self.refused("--mix", "h2-goaway", builtin=True))


if __name__ == "__main__":
    unittest.main()
