# SPDX-License-Identifier: Apache-2.0
"""The connection log of soak-server, what a peer can ask of it, and its lack of resources."""

import os
import socket
import ssl
import stat
import subprocess
import tempfile
import unittest

import server_log
from fixtures import make_certificate
from patience import within_limits
from server_driver import BIN, PATIENCE, Server, client_context, reset

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
FULL13 = "<CH >SH >CCS >EE >CERT >CV >FIN <CCS <FIN >NST×2"
FULL12 = "<CH >SH >CERT >SKE >SHD <CKE <CCS <FIN >NST >CCS >FIN"


class Logged(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder, self.path = folder.name, folder.name + "/connections.log"

    def server(self, *options):
        return Server("--log", self.path, *options)

    def log(self, server):
        """All connections so far, once they are closed."""
        server.all_closed()
        return server_log.read(self.path)

    def last(self, server):
        return self.log(server)[-1]

    def check(self, connection, **wanted):
        """Each key is as wanted: alert_in=... is the key alert-in."""
        got = {key: connection[key.replace("_", "-")] for key in wanted}
        self.assertEqual(got, {key: str(value) for key, value in wanted.items()})


def end(plain):
    """Sends FIN and reads whatever there is."""
    plain.shutdown(socket.SHUT_WR)
    while plain.recv(65536):
        pass


def send_hello(plain, *extensions):
    """A ClientHello with these (number, content) and nothing else."""
    rest = b"".join(number.to_bytes(2, "big") + len(content).to_bytes(2, "big") + content
                    for number, content in extensions)
    hello = (b"\x03\x03" + bytes(32) + b"\0" + b"\0\x04\x13\x01\xc0\x2b" + b"\x01\0" +
             len(rest).to_bytes(2, "big") + rest)
    message = b"\x01" + len(hello).to_bytes(3, "big") + hello
    plain.sendall(b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message)
    end(plain)


def memory_client(version=None):
    """A client whose bytes the test carries: (its TLS object, what comes in, what goes out)."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client_context(version).wrap_bio(incoming, outgoing, server_hostname="localhost")
    return tls, incoming, outgoing


def shake(tls):
    """One step. Returns whether the handshake is finished."""
    try:
        tls.do_handshake()
        return True
    except ssl.SSLWantReadError:
        return False


def flight(version, sock):
    """Carries the handshake up to the client's last flight, which is returned, not sent."""
    tls, incoming, outgoing = memory_client(version)
    shake(tls)
    sock.sendall(outgoing.read())
    while not outgoing.pending:
        more = sock.recv(65536)
        assert more, "the server closed"
        incoming.write(more)
        shake(tls)
    return outgoing.read()


class SaysWhatItSaw(Logged):
    def test_a_clean_visit(self):
        with self.server() as server:
            server.visit()
            self.check(self.last(server), conn=1, tls="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384",
                       group="x25519", resumed=0, early="none", sni="localhost", alpn="-",
                       cert="none", state="SSL negotiation finished successfully", done=1,
                       saw=FULL13, alert_in="close_notify", alert_out="close_notify",
                       ended="close-notify", renegotiations=0, key_updates=0, data_in=1,
                       data_out=1, empty_in=0, alerts_in=1, alerts_out=1)

    def test_the_older_version_and_another_cipher(self):
        context = client_context(TLS12)
        context.set_ciphers("ECDHE-RSA-CHACHA20-POLY1305")
        context.set_ecdh_curve("secp384r1")
        with self.server("--key", "rsa2048") as server:
            server.visit(context)
            self.check(self.last(server), tls="TLSv1.2", cipher="ECDHE-RSA-CHACHA20-POLY1305",
                       group="secp384r1", saw=FULL12)

    def test_a_hello_without_a_key_share_is_asked_again(self):
        with self.server() as server, server.tcp() as plain:
            send_hello(plain, (43, b"\x02\x03\x04"), (10, b"\0\x02\0\x17"),
                       (13, b"\0\x02\x04\x03"), (51, b"\0\0"))
            self.check(self.last(server), saw="<CH >HRR >CCS", tls="-", ended="fin")

    def test_resumption_in_both_versions(self):
        for version in TLS12, TLS13:
            with self.server() as server:
                context = client_context(version)
                session = server.visit(context)
                server.visit(context, session)
                first, second = self.log(server)[-2:]
                self.check(first, resumed=0)
                self.check(second, resumed=1)
                self.assertIn(">CERT", first["saw"])
                self.assertNotIn(">CERT", second["saw"])
            os.unlink(self.path)

    def test_early_data_under_a_strangers_ticket_is_rejected(self):
        session, data = self.folder + "/session", self.folder + "/data"
        with open(data, "wb") as file:
            file.write(b"early")
        self.take_session(session)
        with self.server() as server:
            server.visit()
            self.check(self.last(server), early="none")
            done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}",
                                   "-sess_in", session, "-early_data", data], input=b"",
                                  capture_output=True, timeout=PATIENCE)
            server.connected += 1
            self.assertIn(b"Early data was rejected", done.stdout)
            self.check(self.last(server), early="rejected", resumed=0, data_in=0, done=1)

    def take_session(self, path):
        """A session of another server, which wants early data."""
        pem = make_certificate(self.folder, "other")
        with subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", pem,
                               "-early_data", "-naccept", "1"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as other:
            line = next(line for line in other.stdout if line.startswith(b"ACCEPT"))
            client = subprocess.Popen(["openssl", "s_client", "-connect",
                                       line.split()[1].decode(), "-sess_out", path, "-quiet",
                                       "-no_ign_eof"],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL)
            other.stdin.write(b"after the ticket\n")
            other.stdin.flush()
            self.assertEqual(client.stdout.readline(), b"after the ticket\n")
            client.communicate(timeout=PATIENCE)
            other.communicate(timeout=PATIENCE)

    def test_the_name_and_the_protocol(self):
        with self.server("--alpn", "h2") as server:
            with server.tls(client_context(alpn=["h2"]), name="other.example") as sock:
                server.echo(sock)
            self.check(self.last(server), sni="other.example", alpn="h2")
            with self.assertRaises(ssl.SSLError):
                server.tls(client_context(alpn=["x"]))
            self.check(self.last(server), alpn="-", tls="-", cipher="-", group="-", done=0,
                       saw="<CH", alert_out="no_application_protocol", ended="error",
                       state="error")

    def test_a_name_that_breaks_lines_is_escaped(self):
        name = b'a"b\n=\\\xff '
        sni = (len(name) + 3).to_bytes(2, "big") + b"\0" + len(name).to_bytes(2, "big") + name
        with self.server() as server, server.tcp() as plain:
            send_hello(plain, (0, sni))
            self.check(self.last(server), sni=r'a\"b\x0a=\\\xff ')

    def test_certificates(self):
        pems = {name: make_certificate(self.folder, name) for name in ("good", "bad")}
        with self.server("--client-auth", "require", "--client-ca", pems["good"]) as server:
            server.visit(client_context(cert=pems["good"]))
            self.check(self.last(server), cert="ok", done=1)
            self.assertIn(">CR", self.last(server)["saw"])
            for cert, said, alert in ((pems["bad"], "18 (self-signed certificate)", "unknown_ca"),
                                      (None, "none", "certificate_required")):
                with self.assertRaises(ssl.SSLError):
                    server.visit(client_context(cert=cert))
                self.check(self.last(server), cert=said, alert_out=alert, ended="error", done=0)

    def test_how_it_ended(self):
        with self.server() as server:
            sock = server.tls()
            server.echo(sock)
            reset(sock)
            self.check(self.last(server), ended="reset", alert_in="-", alert_out="-")
            sock = server.tls()
            server.echo(sock)
            plain = socket.socket(fileno=sock.detach())
            plain.close()
            self.check(self.last(server), ended="fin", alert_in="-", alert_out="close_notify")
            with server.tls() as sock, socket.socket(fileno=sock.detach()) as plain:
                plain.settimeout(PATIENCE)
                plain.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
                end(plain)
            self.check(self.last(server), ended="error", alert_out="bad_record_mac")
        os.unlink(self.path)
        with self.server("--idle-timeout", "100ms") as server:
            with server.tls() as sock:
                self.assertEqual(sock.recv(1), b"")
            self.check(self.last(server), ended="timeout", done=1)
        os.unlink(self.path)
        with self.server() as server:
            sock = server.tls()
            server.echo(sock)
            server.quit()
            sock.close()
            self.check(server_log.read(self.path)[0], conn=1, ended="server")

    def test_the_peers_alert_counts_more_than_its_goodbye(self):
        goodbye, canceled = b"\x15\x03\x03\0\x02\x01\0", b"\x15\x03\x03\0\x02\x01\x5a"
        with self.server() as server:
            for alerts, name, count in ((canceled + goodbye, "user_canceled", 2),
                                        (goodbye, "close_notify", 1)):
                with server.tcp() as plain:
                    flight(TLS12, plain)  # not sent
                    plain.sendall(alerts)
                    end(plain)
                self.check(self.last(server), alert_in=name, alerts_in=count,
                           ended="close-notify", done=0)
            context = ssl.create_default_context()  # trusts others
            with self.assertRaises(ssl.SSLError):
                server.tls(context)
            self.check(self.last(server), alert_in="unknown_ca", ended="error", done=0)

    def test_bytes_and_records(self):
        with self.server() as server:
            sock = server.tls()
            server.echo(sock, bytes(100_000))
            sock.unwrap().close()
            much = self.last(server)
            self.check(much, data_in=7, data_out=7)
            with server.tcp() as plain:
                plain.sendall(b"\x16\x03\x01\x02")
            little = self.last(server)
            self.check(little, data_in=0, data_out=0, out=7, saw="-", ended="fin")
            self.check(little, **{"in": 4})
            self.assertGreater(int(much["in"]), 100_000)
            self.assertGreater(int(much["out"]), 100_000)

    def test_empty_records(self):
        with self.server() as server, server.tcp() as plain:
            for _ in range(3):
                plain.sendall(b"\x16\x03\x01\0\0")
            end(plain)
            plain.close()
            self.assertGreater(int(self.last(server)["empty-in"]), 0)

    def test_a_long_story_is_cut(self):
        with self.server("--requests") as server:
            sock = server.tls(client_context(TLS12))
            for _ in range(10):
                ask(server, sock, "renegotiate 1")
            sock.unwrap().close()
            self.check(self.last(server), renegotiations=10)
            self.assertTrue(self.last(server)["saw"].endswith(" ..."))
            self.assertLess(len(self.last(server)["saw"]), 500)


class KeepsItsLog(Logged):
    def test_appended_and_for_its_owner_only(self):
        for _ in range(2):
            with self.server("--workers", "3") as server:
                for _ in range(5):
                    server.visit()
                server.all_closed()
        self.assertEqual(sorted(c["conn"] for c in server_log.read(self.path)),
                         sorted(2 * list("12345")))
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)

    def test_a_full_disk_is_told_once_and_the_server_goes_on(self):
        with Server("--log", "/dev/full") as server:
            for _ in range(3):
                server.visit()
            server.all_closed()
            server.settle()
            self.assertEqual(server.lines, ["problem text=the connection log ends here: /dev/full: "
                                            "No space left on device"])

    def test_a_path_that_can_not_be_written_ends_the_start(self):
        done = subprocess.run([BIN + "/soak-server", "--log", self.folder], capture_output=True,
                              text=True, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stderr),
                         (1, f"soak-server: --log {self.folder}: Is a directory\n"))

    def test_it_costs_the_ledger_nothing(self):
        live = []
        for options in ((), ("--log", self.path)):
            with Server(*options) as server:
                server.visits(5)
                with server.tls() as sock:
                    server.echo(sock)
                    server.settle()
                    live.append(server.live())
        self.assertEqual(*live)


def ask(server, sock, request, answer=b"soak:done\n"):
    """Sends a request and wants this answer."""
    sock.sendall(f"soak:{request}\n".encode())
    got = b""
    while len(got) < len(answer):
        more = sock.recv(65536)
        assert more, (request, got)
        got += more
    assert got == answer, (request, got[:100])


class Obeys(Logged):
    def test_requests_are_echoed_unless_asked_for(self):
        with self.server() as server, server.tls() as sock:
            for message in b"soak:close\n", b"soak:update 1\n":
                self.assertEqual(server.echo(sock, message), message)
        with self.server("--requests") as server, server.tls() as sock:
            for message in b"soak:close", b"soak\n", b" soak:close\n":
                self.assertEqual(server.echo(sock, message), message)

    def test_what_it_does_not_know_it_says(self):
        with self.server("--requests") as server, server.tls() as sock:
            for request in ("", "dance", "close now", "closer", "close\0", "update", "update 0",
                            "update 1001", "update -1", "update 1 ", "update  1", "send 67108865",
                            "send 99999999999999999999", "x" * 5000):
                ask(server, sock, request, b"soak:unknown\n")
            self.assertEqual(server.echo(sock), b"hello")

    def test_it_closes_first_and_reads_the_answer(self):
        with self.server("--requests") as server:
            sock = server.tls()
            sock.sendall(b"soak:close\n")
            self.assertEqual(sock.recv(1), b"")
            sock.unwrap().close()
            self.check(self.last(server), ended="server", alert_out="close_notify",
                       alert_in="close_notify")
            sock = server.tls()
            sock.sendall(b"soak:close\n")
            self.assertEqual(sock.recv(1), b"")
            sock.close()
            self.check(self.last(server), ended="server", alert_in="-")

    def test_it_sends_as_much_as_asked_for(self):
        with self.server("--requests") as server:
            sock = server.tls()
            for size in 1, 16384, 65536, 65537, 1_000_000:
                ask(server, sock, f"send {size}", b"." * size)
            self.assertEqual(server.echo(sock), b"hello")
            sock.unwrap().close()
            self.check(self.last(server), ended="close-notify", data_in=6)
            self.assertGreater(int(self.last(server)["out"]), 1_147_458)

    def test_a_peer_that_leaves_during_a_large_write_costs_nothing(self):
        with self.server("--requests") as server:
            server.visits(3)
            server.settle()
            before = server.live()
            for _ in range(3):
                sock = server.tls()
                sock.sendall(b"soak:send 67108864\n")
                self.assertEqual(sock.recv(1), b".")
                reset(sock)
            self.check(self.last(server), ended="reset", alert_out="-")
            self.assertLess(int(self.last(server)["out"]), 67108864)
            server.settle()
            self.assertEqual(server.live(), before)

    def test_one_request_at_a_time(self):
        with self.server("--requests") as server, server.tls(client_context(TLS12)) as sock:
            sock.sendall(b"soak:renegotiate 1\n")
            sock.sendall(b"soak:close\n")
            got = b""
            while len(got) < 20:
                more = sock.recv(100)
                self.assertTrue(more, got)
                got += more
            self.assertEqual(sorted(got.splitlines()), [b"soak:busy", b"soak:done"])

    def test_key_updates(self):
        with self.server("--requests") as server:
            sock = server.tls()
            ask(server, sock, "update 3")
            self.assertEqual(server.echo(sock), b"hello")
            sock.unwrap().close()
            self.check(self.last(server), key_updates=6, key_updates_out=3,
                       saw=FULL13 + " >KU×3 <KU×3")

    def test_tickets(self):
        with self.server("--requests") as server:
            sock = server.tls()
            ask(server, sock, "ticket 5")
            sock.unwrap().close()
            self.check(self.last(server), saw=FULL13[:-1] + "7")

    def test_authentication_after_the_handshake(self):
        with self.server("--requests") as server:
            context = client_context()
            context.post_handshake_auth = True
            sock = server.tls(context)
            ask(server, sock, "auth")
            sock.unwrap().close()
            self.check(self.last(server), cert="none", renegotiations=0,
                       saw=FULL13 + " >CR <CERT <FIN >NST×2")

    def test_renegotiation(self):
        again = " >HR <CH >SH >CCS >FIN <CCS <FIN"
        with self.server("--requests") as server:
            sock = server.tls(client_context(TLS12))
            ask(server, sock, "renegotiate 2")
            self.assertEqual(server.echo(sock), b"hello")
            sock.unwrap().close()
            self.check(self.last(server), renegotiations=2, resumed=0, saw=FULL12 + 2 * again)

    def test_a_peer_still_can_not_begin_one(self):
        with self.server("--requests", "--tls", "1.2") as server:
            client = subprocess.Popen(["openssl", "s_client", "-connect",
                                       f"127.0.0.1:{server.port}"], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            server.connected += 1
            client.stdin.write(b"soak:renegotiate 1\n")
            client.stdin.flush()
            for line in client.stdout:
                if line == b"soak:done\n":
                    break
            client.stdin.write(b"R\n")  # a command of s_client when it comes alone
            client.stdin.flush()
            client.communicate(timeout=PATIENCE)
            self.check(self.last(server), alert_out="no_renegotiation", renegotiations=1)

    def test_what_a_version_can_not_do_fails_and_the_connection_lives(self):
        with self.server("--requests") as server:
            for version, requests in ((TLS13, ("renegotiate 1", "auth")),
                                      (TLS12, ("update 1", "ticket 1", "auth"))):
                with server.tls(client_context(version)) as sock:
                    for request in requests:
                        ask(server, sock, request, b"soak:failed\n")
                    self.assertEqual(server.echo(sock), b"hello")

    def test_all_of_it_leaves_the_ledger_as_it_was(self):
        def everything(server):
            context = client_context()
            context.post_handshake_auth = True
            for use, requests in ((context, ("update 5", "ticket 5", "auth")),
                                  (client_context(TLS12), ("renegotiate 3", "update 1"))):
                sock = server.tls(use)
                for request in requests:
                    failed = use is not context and request == "update 1"
                    ask(server, sock, request, b"soak:failed\n" if failed else b"soak:done\n")
                ask(server, sock, "send 300000", b"." * 300_000)
                sock.sendall(b"soak:close\n")
                self.assertEqual(sock.recv(1), b"")
                sock.unwrap().close()

        with self.server("--requests") as server:
            for _ in range(3):
                everything(server)
            server.all_closed()
            server.settle()
            before = server.live()
            for _ in range(5):
                everything(server)
            server.all_closed()
            server.settle()
            self.assertEqual(server.live(), before)


class TimesOut(Logged):
    def timed_out(self, send, **wanted):
        """A handshake that goes as far as `send` takes it and then waits."""
        last = within_limits(lambda limit: self.time_out(limit, send), lambda last: not self.is_behind(last, wanted))
        self.check(last, ended="timeout", done=0, alert_out="-", **wanted)

    def time_out(self, limit, send):
        with self.server("--handshake-timeout", limit) as server, server.tcp() as plain:
            try:
                send(plain)
                while plain.recv(65536):
                    pass
            except (AssertionError, ConnectionError):
                pass  # the server's time was over first; its log says how far it came
            server.all_closed()
            self.assertEqual((server.page.app.failed, server.page.app.handshakes), (1, 0))
            self.assertIn("longer than --handshake-timeout", server.expect("problem"))
            last = self.last(server)
        os.unlink(self.path)
        return last

    @staticmethod
    def is_behind(last, wanted):
        """Whether the server's time was over before it had received all of it."""
        way = last["saw"].strip("-")
        return int(last["in"]) < wanted.get("in", 0) or \
            last["saw"] != wanted["saw"] and wanted["saw"].startswith(way)

    def test_nothing_received(self):
        self.timed_out(lambda plain: None, saw="-", **{"in": 0})

    def test_half_a_hello(self):
        self.timed_out(lambda plain: plain.sendall(b"\x16\x03\x01\x02\x00\x01\x00"), saw="-",
                       out=0, **{"in": 7})

    def test_after_the_servers_flight(self):
        for version, saw in (TLS12, "<CH >SH >CERT >SKE >SHD"), (TLS13,
                                                                "<CH >SH >CCS >EE >CERT >CV >FIN"):
            self.timed_out(lambda plain, v=version: flight(v, plain), saw=saw)

    def test_in_the_middle_of_the_clients_second_flight(self):
        for version, saw in ((TLS12, "<CH >SH >CERT >SKE >SHD <CKE"),
                             (TLS13, "<CH >SH >CCS >EE >CERT >CV >FIN <CCS")):
            def send(plain, version=version):
                last = flight(version, plain)
                first_record = 5 + int.from_bytes(last[3:5], "big")
                plain.sendall(last[:first_record + 3])
            self.timed_out(send, saw=saw)


class RunsShort(Logged):
    def test_contexts_come_and_go(self):
        for options, resumed in ((("--ctx", "per-connection"), 0), (("--ctx-reload", "4"), 3),
                                 (("--ctx", "shared"), 4)):
            with self.server(*options, "--tls", "1.2") as server:
                context = client_context(TLS12)
                session = server.visit(context)
                for _ in range(4):
                    server.visit(context, session)
                self.assertEqual(sum(c["resumed"] == "1" for c in self.log(server)), resumed)
                server.settle()
                before = server.live()
                for _ in range(2):  # those due by the first checkpoint are reloaded after it
                    server.visits(20)
                    server.settle()
                self.assertEqual(server.live(), before, options)
            os.unlink(self.path)

    def test_reloads_due_are_made_after_a_checkpoint(self):
        with self.server("--ctx-reload", "4", "--tls", "1.2") as server:
            context = client_context(TLS12)
            server.settle()
            session = server.visit(context)
            for _ in range(8):
                server.visit(context, session)
            server.all_closed()
            server.settle()
            server.visit(context, session)
            said = "".join(c["resumed"] for c in self.log(server))
            self.assertEqual(said, "0" + 8 * "1" + "0")

    def test_an_old_context_lives_as_long_as_its_connections(self):
        with self.server("--ctx-reload", "2") as server:
            server.visits(8)
            server.settle()
            contexts = server.live()[0]
            held = server.tls()
            server.echo(held)
            for _ in range(3):
                server.visit()
            with server.tls() as other:
                server.echo(other)
                self.assertEqual(server.echo(held), b"hello")
            server.settle()
            with_old = server.live()[0]
            held.unwrap().close()
            server.all_closed()
            server.settle()
            self.assertGreater(with_old, contexts)
            self.assertEqual(server.live()[0], contexts)

    def test_contradictions_are_refused(self):
        for options, sentence in ((("--ctx", "per-connection", "--ctx-reload", "5"), "--ctx per-connection"),
                                  (("--emfile", "1"), "from 2"),
                                  (("--emfile", "9", "--workers", "2"), "--workers 1")):
            done = subprocess.run([BIN + "/soak-server", *options], capture_output=True, text=True,
                                  timeout=PATIENCE)
            self.assertEqual(done.returncode, 2)
            self.assertIn(sentence, done.stderr)


if __name__ == "__main__":
    unittest.main()
