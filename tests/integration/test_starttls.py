# SPDX-License-Identifier: Apache-2.0
"""--starttls: the dialogue in clear text before TLS, at both ends. Witnesses are the bytes on the
wire, `openssl s_client`, Python's own clients, and servers written from the protocols' documents."""

import ftplib
import poplib
import smtplib
import socket
import ssl
import subprocess
import tempfile
import unittest

from fixtures import make_certificate
from load_case import LoadCase
from server_driver import BIN, PATIENCE, Server
from patience import until, within_limits
from starttls_peers import SCRIPTS, Relay, Scripted
from test_client import Client

PROTOCOLS = sorted(SCRIPTS)
HELLO = b"\x16\x03\x01"  # how a ClientHello begins
BEHAVIOURS = ("clean", "reset", "half-close", "mid-handshake", "starttls-abort", "starttls-garbage",
              "starttls-inject")


def client(port, protocol, *options, closed=20, conns=4, **weights):
    given = {name.replace("_", "-"): weight for name, weight in (weights or {"clean": 1}).items()}
    return subprocess.run(
        [BIN + "/soak-client", f"--connect=127.0.0.1:{port}", f"--starttls={protocol}",
         f"--conns={conns}", "--churn=max", f"--closed={closed}", "--workers=1", f"--timeout={PATIENCE}s",
         *(f"--{name}={given.get(name, 0)}" for name in BEHAVIOURS), *options],
        capture_output=True, text=True, timeout=PATIENCE, check=False)


def problem_of(port, protocol, *options):
    """What a client says whose connections all fail: it never gives up by itself."""
    failing = Client(port, f"--starttls={protocol}", "--conns=1", "--churn=max", "--workers=1",
                     *options)
    try:
        failing.say("epoch opens=1")
        return failing.lines.readline() + failing.lines.readline()  # ready; the first problem
    finally:
        failing.close()


def each_protocol(test):
    def all_of_them(self):
        for protocol in PROTOCOLS:
            with self.subTest(protocol):
                test(self, protocol)
    return all_of_them


class BothEnds(unittest.TestCase):
    @each_protocol
    def test_connections_come_and_go(self, protocol):
        with Server("--starttls", protocol) as server:
            result = client(server.port, protocol, clean=1, reset=1, half_close=1, mid_handshake=1)
            self.assertEqual(result.returncode, 0, result.stderr + result.stdout)
            until(lambda: server.page.app.closed >= 20, "all are closed")
            app = server.page.app
            self.assertGreaterEqual(app.handshakes, 4)
            self.assertEqual((app.in_flight, app.established), (0, 0))
            self.assertEqual(app.opened, app.handshakes + app.failed)

    @each_protocol
    def test_on_the_wire_the_dialogue_comes_first_and_then_the_client_hello(self, protocol):
        with Server("--starttls", protocol) as server:
            relay = Relay(server.port)
            self.addCleanup(relay.close)
            result = client(relay.port, protocol, closed=2, conns=1)
            self.assertEqual(result.returncode, 0, result.stderr)
            said, answered, _ = relay.seen[0]
            words = b"".join(wanted for _, wanted in SCRIPTS[protocol])
            self.assertEqual(said[:len(words)], words)
            self.assertEqual(said[len(words):][:3], HELLO)
            self.assertNotEqual(answered[:1], b"\x16")

    def test_without_it_tls_begins_at_once(self):
        with Server("--starttls", "none") as server:
            relay = Relay(server.port)
            self.addCleanup(relay.close)
            self.assertEqual(client(relay.port, "none", closed=2, conns=1).returncode, 0)
            self.assertEqual(relay.seen[0][0][:3], HELLO)

    def test_ends_that_expect_different_things_fail_and_say_why(self):
        for ours, theirs, why in (
                ("none", "smtp", "smtp: a NUL byte in a line"),
                ("ldap", "postgres", "postgres: the client begins by something else"),
                ("xmpp", "ldap", "ldap: not an LDAP message: it begins with 0x3c")):
            with Server("--starttls", theirs) as server:
                self.assertRegex(problem_of(server.port, ours),
                                 "problem kind=handshake behaviour=[a-z-]+ text=(a handshake|the STARTTLS dialogue) ")
                self.assertIn(f"text=the STARTTLS dialogue failed: {why}", server.expect("problem"))


class OtherClients(unittest.TestCase):
    """Clients of others against soak-server."""

    @each_protocol
    def test_s_client_comes_to_tls(self, protocol):
        with Server("--starttls", protocol) as server:
            result = subprocess.run(
                ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-starttls",
                 protocol, "-brief"], input=b"", capture_output=True, timeout=PATIENCE, check=False)
            self.assertIn(b"CONNECTION ESTABLISHED", result.stderr)
            until(lambda: server.page.app.closed == 1, "it is gone")
            self.assertEqual(server.page.app.handshakes, 1)

    def test_the_clients_of_python_come_to_tls(self):
        context = ssl._create_unverified_context()
        with Server("--starttls", "smtp") as server:
            smtp = smtplib.SMTP("127.0.0.1", server.port, timeout=PATIENCE)
            self.assertEqual(smtp.starttls(context=context)[0], 220)
            self.assertEqual(server.echo(smtp.sock), b"hello")
            smtp.close()
        with Server("--starttls", "pop3") as server:
            pop = poplib.POP3("127.0.0.1", server.port, timeout=PATIENCE)
            self.assertIn("STLS", pop.capa())
            pop.stls(context)
            self.assertEqual(server.echo(pop.sock), b"hello")
            pop.close()
        with Server("--starttls", "ftp") as server:
            ftp = ftplib.FTP_TLS(context=context, timeout=PATIENCE)
            ftp.connect("127.0.0.1", server.port)
            self.assertEqual(ftp.auth()[:3], "234")
            self.assertEqual(server.echo(ftp.sock), b"hello")
            ftp.close()


class OtherServers(LoadCase):
    """Servers of others against soak-client."""

    @each_protocol
    def test_their_words_are_understood_in_any_pieces(self, protocol):
        for piece in (1, 7, 65536):
            server = Scripted(self.certificate, SCRIPTS[protocol], piece)
            self.addCleanup(server.close)
            result = client(server.port, protocol, "--payload=64B", closed=3, conns=1)
            self.assertEqual(result.returncode, 0, result.stderr + result.stdout)
            self.assertEqual(server.ended(), [])
            self.assertGreaterEqual(server.echoed, 3 * 64)

    def test_a_server_that_refuses_is_a_failed_handshake_with_its_words(self):
        for protocol, script, why in (
                ("smtp", [(b"554 go away\r\n", b"x")],
                 'smtp: the server answers the connection by "554 go away"'),
                ("postgres", [(b"", bytes(8)), (b"N", b"x")], "postgres: the server does without TLS"),
                ("imap", [(b"* PREAUTH hello\r\n", b"x")], "imap: the server says PREAUTH")):
            if protocol == "postgres":
                script[0] = SCRIPTS["postgres"][0]
            server = Scripted(self.certificate, script, 65536)
            self.addCleanup(server.close)
            self.assertIn(f"the STARTTLS dialogue failed: {why}", problem_of(server.port, protocol))

    def test_words_behind_the_turn_to_tls_are_refused(self):
        script = SCRIPTS["smtp"][:2] + [(b"220 go ahead\r\n250 injected\r\n", b"x")]
        server = Scripted(self.certificate, script, 65536)
        self.addCleanup(server.close)
        self.assertIn("smtp: 14 bytes in clear text behind the turn to TLS",
                      problem_of(server.port, "smtp"))


class Deadlines(unittest.TestCase):
    def test_the_handshake_timeout_covers_the_dialogue_too(self):
        with Server("--starttls", "smtp", "--handshake-timeout", "300ms") as server:
            with server.tcp() as sock:
                self.assertEqual(sock.recv(100)[:4], b"220 ")
                until(lambda: server.page.app.opened == 1, "it is seen")
                try:
                    sock.sendall(b"EHLO me\r\n")
                    while sock.recv(100):
                        pass
                except ConnectionError:
                    pass  # the time was over before this was said
            self.assertIn("the STARTTLS dialogue took longer than --handshake-timeout", server.expect("problem"))
            server.all_closed()
            self.assertEqual((server.page.app.failed, server.page.app.in_flight), (1, 0))

    def test_a_silent_server_is_a_timeout_of_the_client(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            problem = within_limits(  # it is to be over in the dialogue, not before
                lambda limit: problem_of(silent.getsockname()[1], "smtp", f"--timeout={limit}"),
                lambda problem: "in its STARTTLS dialogue" in problem)
        self.assertRegex(problem, "took longer than [0-9]+m?s in its STARTTLS dialogue")

    def test_a_server_that_ends_in_the_dialogue_is_an_error(self):
        with tempfile.TemporaryDirectory() as folder:
            server = Scripted(make_certificate(folder), [(b"220 hi\r\n", b"no")], 10)
            self.addCleanup(server.close)
            problem = problem_of(server.port, "smtp")
        self.assertRegex(problem, "the STARTTLS dialogue failed: (closed by the server|connection reset)")


class Behaviours(unittest.TestCase):
    """What the peers do within the dialogue, as a relay and the server see it."""

    def churn(self, protocol, **weights):
        """Returns what the relay saw of connections that came to no TLS, the server's counters,
        and the server's problem, if any."""
        with Server("--starttls", protocol) as server:
            relay = Relay(server.port)
            self.addCleanup(relay.close)
            result = client(relay.port, protocol, closed=8, conns=1, **weights)
            self.assertEqual(result.returncode, 0, result.stderr + result.stdout)
            self.assertRegex(result.stdout, "[1-9][0-9]* aborted as intended")
            until(lambda: server.page.app.closed >= len(relay.seen), "all are closed")
            self.assertEqual(relay.ended(), [])
            app = server.page.app
            self.assertEqual(app.in_flight, 0)
            self.assertEqual(app.failed + app.handshakes, app.opened)
            server.quit()
            for line in server.reader:
                server.lines.append(line.rstrip("\n"))
            problems = [line for line in server.lines if line.startswith("problem ")]
            cut = [seen for seen in relay.seen if HELLO not in seen[0]]
            self.assertEqual(app.failed, len(cut))
            return cut, problems

    @each_protocol
    def test_abort_leaves_half_way_through_the_request(self, protocol):
        cut, problems = self.churn(protocol, clean=1, starttls_abort=3)
        words = [wanted for _, wanted in SCRIPTS[protocol] if wanted]
        half = b"".join(words[:-1]) + words[-1][:len(words[-1]) // 2]
        self.assertEqual({said for said, _, _ in cut}, {half})
        self.assertEqual({how for _, _, how in cut} - {"fin", "rst"}, set())
        self.assertEqual(problems, [])

    @each_protocol
    def test_garbage_comes_where_the_dialogue_begins(self, protocol):
        cut, problems = self.churn(protocol, clean=1, starttls_garbage=3)
        self.assertEqual({len(said) for said, _, _ in cut}, {1024})
        self.assertEqual({how for _, _, how in cut}, {"fin"})
        self.assertGreater(len({said for said, _, _ in cut}), 1)
        self.assertIn(f"problem text=the STARTTLS dialogue failed: {protocol}: ", problems[0])

    @each_protocol
    def test_injected_words_follow_the_request_and_are_refused(self, protocol):
        cut, problems = self.churn(protocol, clean=1, starttls_inject=3)
        words = b"".join(wanted for _, wanted in SCRIPTS[protocol])
        for said, _, _ in cut:
            self.assertEqual(said[:len(words)], words)
            self.assertGreaterEqual(len(said), len(words) + 5)
        if protocol != "mysql":  # there they can't be told from TLS, and OpenSSL refuses them
            self.assertIn("bytes in clear text behind the turn to TLS", problems[0])

    def test_they_are_refused_without_a_dialogue(self):
        result = client(1, "none", clean=1, starttls_abort=1)
        self.assertEqual(result.returncode, 2)
        self.assertIn("--starttls-abort 1: it needs --starttls PROTOCOL", result.stderr)


if __name__ == "__main__":
    unittest.main()
