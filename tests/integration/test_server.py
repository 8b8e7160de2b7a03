# SPDX-License-Identifier: Apache-2.0
"""soak-server alone: each test is a claim about it."""

import os
import select
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

from fixtures import make_certificate
from patience import until
from probe_page import page_threads
from server_driver import BIN, PATIENCE, Server, client_context, reset

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
HAS_JEMALLOC = b"jemalloc" in subprocess.run(["ldd", BIN + "/soak-server"],
                                             capture_output=True, check=True).stdout


def run(*options):
    return subprocess.run([BIN + "/soak-server", *options], capture_output=True, text=True,
                          timeout=PATIENCE)


def openssl(*arguments, **more):
    return subprocess.run(["openssl", *arguments], capture_output=True, timeout=PATIENCE, **more)


class Speaks(unittest.TestCase):
    def test_s_client_gets_its_echo_from_a_server_started_by_hand(self):
        with Server(control=False) as server:
            self.assertRegex(server.said, r"^listening on 127\.0\.0\.1:\d+$")
            client = subprocess.Popen(
                ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-quiet",
                 "-no_ign_eof"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            client.stdin.write(b"hello\n")
            client.stdin.flush()
            self.assertEqual(client.stdout.readline(), b"hello\n")
            client.stdin.close()
            client.stdout.close()
            client.wait(PATIENCE)

    def test_only_the_version_asked_for_is_spoken(self):
        for option, good, bad in (("1.2", TLS12, TLS13), ("1.3", TLS13, TLS12)):
            with Server("--tls", option) as server:
                with server.tls(client_context(good)) as sock:
                    self.assertEqual(sock.version(), "TLSv" + option)
                with self.assertRaises(ssl.SSLError):
                    server.tls(client_context(bad))
                server.expect("problem")

    def test_the_key_is_the_one_asked_for(self):
        for option, bits in (("p256", b"256 bit"), ("rsa2048", b"2048 bit")):
            with Server("--key", option) as server:
                pem = ssl.get_server_certificate(("127.0.0.1", server.port))
                text = openssl("x509", "-noout", "-text", input=pem.encode()).stdout
                self.assertIn(b"Public-Key: (" + bits, text)

    def test_the_best_common_protocol_is_chosen_and_none_is_refused(self):
        with Server("--alpn", "h2,http/1.1") as server:
            with server.tls(client_context(alpn=["http/1.1", "h2"])) as sock:
                self.assertEqual(sock.selected_alpn_protocol(), "h2")
            with self.assertRaises(ssl.SSLError):
                server.tls(client_context(alpn=["mqtt"]))

    def test_bytes_of_every_length_come_back_unchanged(self):
        with Server() as server, server.tls() as sock:
            for length in (1, 2, 1000, 16384, 16385, 100_000):
                message = os.urandom(length)
                self.assertEqual(server.echo(sock, message), message)


class Resumes(unittest.TestCase):
    def resumed(self, version, kind):
        with Server("--session", kind) as server:
            context = client_context(version)
            session = server.visit(context)
            for _ in range(3):
                session = server.visit(context, session)
            server.all_closed()
            return server.page.app.resumed

    def test_by_tickets(self):
        self.assertEqual([self.resumed(v, "ticket") for v in (TLS12, TLS13)], [3, 3])

    def test_by_the_cache(self):
        self.assertEqual([self.resumed(v, "cache") for v in (TLS12, TLS13)], [3, 3])

    def test_never_when_told_so(self):
        self.assertEqual([self.resumed(v, "none") for v in (TLS12, TLS13)], [0, 0])

    def test_the_cache_declares_itself_stays_bounded_and_can_be_emptied(self):
        with Server("--session", "cache", "--cache-size", "20") as server:
            cache = server.page.cache[0]
            server.visits(5)
            server.settle()
            self.assertEqual((cache.name, cache.capacity, cache.population),
                             (b"session cache", 20, 10))
            server.visits(20)
            server.settle()
            self.assertIn(cache.population, (19, 20))
            server.ask("flush", "flushed")
            server.settle()
            self.assertEqual(cache.population, 0)


class AsksForCertificates(unittest.TestCase):
    def test_a_client_without_the_right_one_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            good, bad = make_certificate(folder, "good"), make_certificate(folder, "bad")
            with Server("--client-auth", "require", "--client-ca", good) as server:
                server.visit(client_context(cert=good))
                for context in (client_context(cert=bad), client_context()):
                    with self.assertRaises(ssl.SSLError):
                        server.visit(context)
                server.all_closed()
                self.assertEqual(server.page.app.handshakes, 1)
                self.assertEqual(server.page.app.failed, 2)


class Closes(unittest.TestCase):
    def test_a_close_notify_is_answered_and_the_client_is_awaited(self):
        with Server() as server:
            sock = server.tls()
            server.echo(sock)
            plain = sock.unwrap()
            self.assertEqual(select.select([plain], [], [], 0.3)[0], [], "the server closed TCP")
            self.assertEqual(server.page.app.closed, 0)
            plain.close()
            server.all_closed()

    def test_a_half_closed_peer_gets_a_close_notify_and_the_end(self):
        with Server("--tls", "1.2") as server:
            sock = server.tls()
            server.echo(sock)
            sock.shutdown(socket.SHUT_WR)
            plain = socket.socket(fileno=sock.detach())
            plain.settimeout(PATIENCE)
            rest = b""
            while more := plain.recv(4096):
                rest += more
            self.assertEqual(rest[:1], b"\x15", "an alert record and nothing before it")
            plain.close()
            server.all_closed()

    def test_resets_and_aborted_handshakes_leave_nothing(self):
        with Server() as server:
            server.visits(3)
            server.settle()
            before = server.live()
            for _ in range(20):
                sock = server.tls()
                server.echo(sock)
                reset(sock)
                reset(server.tcp())
                plain = server.tcp()
                plain.sendall(b"\x16\x03\x01\x02\x00\x01")
                plain.close()
            server.all_closed()
            server.settle()
            self.assertEqual(server.live(), before)
            self.assertEqual(server.lines, [], "leaving early isn't worth a line")

    def test_bad_records_are_told_once_a_kind_and_leave_nothing(self):
        with Server() as server:
            server.visits(3)
            server.settle()
            before = server.live()
            for _ in range(5):
                with server.tcp() as plain:
                    plain.sendall(b"\x16\x03\x01\x00\x04junk")
                    self.assertEqual(plain.recv(1), b"\x15", "an alert")
                with server.tls() as sock, socket.socket(fileno=sock.detach()) as plain:
                    plain.settimeout(PATIENCE)
                    plain.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
                    while plain.recv(4096):
                        plain.shutdown(socket.SHUT_WR)
                        break
            server.all_closed()
            server.settle()
            self.assertEqual(server.live(), before)
            said = sorted(server.lines)
            self.assertEqual(len(said), 2, said)
            self.assertRegex(said[0], "^problem text=a connection failed: ")
            self.assertRegex(said[1], "^problem text=a handshake failed: ")

    def test_what_gets_no_alert_is_closed_while_an_alert_is_left_to_be_read(self):
        with Server() as server, server.tcp() as junk, server.tcp() as http:
            junk.sendall(b"\x16\x03\x01\x00\x04junk")
            self.assertEqual(junk.recv(4096)[:1], b"\x15", "an alert")
            http.sendall(b"GET / HTTP/1.0\r\n\r\n")
            self.assertEqual(http.recv(1), b"")
            self.assertEqual(select.select([junk], [], [], 0)[0], [], "the older one closed first")
            self.assertRegex(server.expect("problem"), "a handshake failed: ")

    def test_a_silent_handshake_ends_at_its_timeout(self):
        with Server("--handshake-timeout", "200ms") as server, server.tcp() as plain:
            self.assertEqual(plain.recv(1), b"")
            server.all_closed()
            self.assertEqual(server.page.app.failed, 1)

    def test_an_idle_connection_gets_a_close_notify_at_its_timeout(self):
        with Server("--idle-timeout", "200ms") as server, server.tls() as sock:
            self.assertEqual(sock.recv(1), b"")


class HoldsBack(unittest.TestCase):
    def test_a_peer_that_does_not_read_is_not_read_from(self):
        with Server("--no-ledger") as server:
            sock = server.tls()
            sock.setblocking(False)
            message = os.urandom(1 << 20)
            sent = got = 0

            def push():
                """Sends a piece; one that was begun must be tried again until it is through."""
                at = sent % len(message)
                try:
                    return sock.send(message[at:at + 16384])
                except ssl.SSLWantWriteError:
                    return 0

            quiet_since = time.monotonic()
            while time.monotonic() - quiet_since < 0.5:
                count = push()
                sent += count
                if count:
                    quiet_since = time.monotonic()
                else:
                    time.sleep(0.01)
                self.assertLess(sent, 64 << 20, "the server goes on reading")
            with open(f"/proc/{server.process.pid}/status") as status:
                rss = int(status.read().split("VmRSS:")[1].split()[0])
            begun = True
            while begun or got < sent:
                if begun:
                    count = push()
                    sent += count
                    begun = count == 0
                try:
                    more = sock.recv(65536)
                except ssl.SSLWantReadError:
                    time.sleep(0.001)
                    continue
                at = got % len(message)
                self.assertEqual(more, (message[at:] + message)[:len(more)])
                got += len(more)
            self.assertLess(rss, 400_000)
            sock.setblocking(True)
            sock.unwrap().close()
            server.all_closed()


class Obeys(unittest.TestCase):
    def test_the_page_counts_what_happened(self):
        with Server() as server:
            app = server.page.app
            server.visits(7)
            with server.tls(), server.tcp():
                until(lambda: app.opened == 9, "both are seen")
                until(lambda: app.established == 1, "one is open")
                self.assertEqual((app.closed, app.in_flight, app.handshakes), (7, 1, 8))
            server.all_closed()
            self.assertEqual((app.established, app.in_flight, app.failed), (0, 0, 1))

    def test_clean_visits_leave_the_ledger_as_it_was(self):
        for options in ((), ("--tls", "1.2"), ("--session", "none"), ("--workers", "3")):
            with Server(*options) as server:
                server.visits(40)
                server.settle()
                before = server.live()
                server.visits(100)
                server.settle()
                self.assertEqual(server.live(), before, options)

    def test_settle_publishes_the_heap(self):
        with Server() as server:
            server.settle()
            self.assertEqual(server.page.process[0].heap.present, 1 if HAS_JEMALLOC else 0)
            self.assertEqual(server.page.process[0].heap.publishes > 0, HAS_JEMALLOC)

    @staticmethod
    def is_refused(server):
        """Until the server has read its orders, it accepts."""
        try:
            server.tcp().close()
        except ConnectionError:
            return True
        return False

    def test_drain_waits_for_the_last_connection_and_refuses_new_ones(self):
        with Server("--workers", "2") as server:
            sock = server.tls()
            server.say("drain")
            server.control.settimeout(0.3)
            with self.assertRaises(TimeoutError):
                server.control.recv(1)
            server.control.settimeout(PATIENCE)
            server.reader = server.control.makefile("r")
            until(lambda: self.is_refused(server), "new ones are refused")
            self.assertEqual(server.echo(sock), b"hello")
            sock.unwrap().close()
            server.expect("drained")
            server.settle()

    def test_quit_closes_what_is_open(self):
        with Server("--workers", "2") as server:
            socks = [server.tls() for _ in range(6)]
            server.quit()
            for sock in socks:
                # An end without close_notify: some versions of Python raise, others give b"".
                try:
                    self.assertEqual(sock.recv(1), b"")
                except (ssl.SSLError, ConnectionError):
                    pass
                sock.close()

    def test_it_does_not_outlive_its_control(self):
        with Server() as server:
            server.control.shutdown(socket.SHUT_RDWR)
            self.assertEqual(server.process.wait(PATIENCE), 1)

    def test_sigterm_says_goodbye_and_ends_well(self):
        with Server(control=False) as server:
            sock = server.tls()
            server.echo(sock)
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(sock.recv(1), b"")
            sock.close()
            self.assertEqual(server.process.wait(PATIENCE), 0)

    def test_an_unknown_word_is_answered_not_obeyed(self):
        with Server() as server:
            self.assertIn("no such word: dance", server.ask("dance id=1", "problem"))
            server.settle()

    def test_several_workers_share_the_connections(self):
        with Server("--workers", "3") as server, Server("--workers", "2") as fewer:
            three, two = (len(os.listdir(f"/proc/{s.process.pid}/task")) for s in (server, fewer))
            self.assertEqual(three - two, 1)
            socks = [server.tls() for _ in range(30)]
            for sock in socks:
                server.echo(sock)
                sock.unwrap().close()
            server.all_closed()
            self.assertGreater(sum(sum(cell.made for cell in t.cell[0]) > 1000 for t in page_threads(server.page)), 1)


class Refuses(unittest.TestCase):
    def test_a_port_in_use_is_told_in_one_sentence(self):
        with Server() as server:
            for workers in ("1", "2"):
                done = run("--listen", f"127.0.0.1:{server.port}", "--workers", workers)
                self.assertEqual(done.returncode, 1)
                self.assertEqual(done.stderr, f"soak-server: port {server.port} on 127.0.0.1 is in "
                                              "use; choose another with --listen 127.0.0.1:0\n")

    def test_a_bad_command_line_says_how_to_mend_it(self):
        for options, sentence in (
                (("--listen", "0.0.0.0:1"), "only a loopback address"),
                (("--listen", "127.0.0.1"), "such as 127.0.0.1:4433"),
                (("--listen", "localhost:1"), "must be a number"),
                (("--defect", "lost-stat"), "did you mean lost-state?"),
                (("--defect", "lost-state:2"), "1/1000"),
                (("--client-auth", "require"), "needs --client-ca"),
                (("--cache-size", "0"), "from 1 to"),
                (("--workers", "0"), "from 1 to"),
                (("--seed", "xyz"), "hexadecimal"),
                (("stray",), "not an option")):
            done = run(*options)
            self.assertEqual(done.returncode, 2, options)
            self.assertRegex(done.stderr, "^soak-server: .*" + sentence.replace("?", r"\?"))
            self.assertEqual(done.stderr.count("\n"), 1)


class HasBugsWhenTold(unittest.TestCase):
    """Growth of 100 visits after 100 others: (blocks, bytes) per connection at defect.c."""

    def growth(self, *options, visit=None, count=100):
        with Server(*options) as server:
            for _ in range(count):
                visit(server) if visit else server.visit()
            server.all_closed()
            server.settle()
            before, files = server.live("defect.c"), server.open_files()
            whole = server.live()
            for _ in range(count):
                visit(server) if visit else server.visit()
            server.all_closed()
            server.settle()
            after = server.live("defect.c")
            self.files = server.open_files() - files
            self.whole = server.live()[0] - whole[0]
            self.population = server.page.cache[1].population
            server.ask("drain", "drained")
            server.ask("flush", "flushed")
            server.settle()
            self.drained = server.live()[0] - whole[0]
            return (after[0] - before[0]) / count, (after[1] - before[1]) / count

    def test_none_unless_told(self):
        self.assertEqual(self.growth(), (0, 0))
        self.assertEqual((self.whole, self.files), (0, 0))

    def test_lost_state(self):
        self.assertEqual(self.growth("--defect", "lost-state"), (1, 32))
        self.assertEqual(self.whole, 100)

    def test_one_in_n_is_exactly_one_in_n(self):
        for seed in "1", "f00d":
            for n in (2, 10, 100):
                growth = self.growth("--defect", f"lost-state:1/{n}", "--seed", seed)
                self.assertEqual(growth, (1 / n, 32 / n))
        self.assertEqual(self.growth("--defect", "lost-state:1/10", "--workers", "3"), (0.1, 3.2))

    def test_references_and_whole_objects(self):
        for name in "session-ref", "ssl-retained":
            self.assertEqual(self.growth("--defect", name), (0, 0))
            self.assertGreater(self.whole, 100, name)
            self.assertGreater(self.drained, 100, name)

    def test_peer_certificates(self):
        with tempfile.TemporaryDirectory() as folder:
            path = make_certificate(folder, "client")
            context = client_context(cert=path)
            ask = ("--client-auth", "require", "--client-ca", path, "--session", "none")
            self.growth(*ask, visit=lambda server: server.visit(context), count=20)
            self.assertEqual(self.whole, 0)
            self.growth(*ask, "--defect", "peer-cert-ref",
                        visit=lambda server: server.visit(context), count=20)
            self.assertGreater(self.whole, 20 * 30)

    def test_deferred_objects_go_at_the_drain(self):
        self.growth("--defect", "free-deferred")
        self.assertGreater(self.whole, 100)
        self.assertLess(self.drained, 0)

    def test_error_path_only_when_the_handshake_fails(self):
        def abort(server):
            reset(server.tcp())

        self.assertEqual(self.growth("--defect", "error-path"), (0, 0))
        self.assertEqual(self.growth("--defect", "error-path", visit=abort), (1, 48))
        self.assertEqual(self.growth("--defect", "error-path:1/4", visit=abort), (0.25, 12))

    def test_reset_path_only_when_the_peer_resets(self):
        def leave(server):
            sock = server.tls()
            server.echo(sock)
            reset(sock)

        self.assertEqual(self.growth("--defect", "reset-path"), (0, 0))
        def abort(server):
            reset(server.tcp())

        self.assertEqual(self.growth("--defect", "reset-path", visit=leave), (1, 64))
        self.assertEqual(self.growth("--defect", "reset-path", visit=abort), (0, 0))

    def test_descriptors(self):
        self.growth("--defect", "fd")
        self.assertEqual(self.files, 100)

    def test_one_time_is_over_after_its_time(self):
        self.assertEqual(self.growth("--defect", "one-time"), (0, 0))

    def test_a_bounded_cache_declares_itself_and_is_emptied_by_flush(self):
        self.assertEqual(self.growth("--defect", "cache"), (1, 256))
        self.assertEqual(self.population, 200)
        self.assertEqual(self.drained, -100)

    def test_time_alone_makes_it_grow(self):
        with Server("--defect", "per-time") as server:
            blocks = server.live("defect.c")[0]
            until(lambda: server.live("defect.c")[0] >= blocks + 5, "it has grown")

    @unittest.skipUnless(HAS_JEMALLOC, "counts with jemalloc's figures")
    def test_outside_grows_where_openssl_does_not_look(self):
        with Server("--defect", "outside") as server:
            server.visits(300)
            server.settle()
            before, ledger = server.page.process[0].heap.allocated, server.live()
            server.visits(300)
            server.settle()
            self.assertEqual(server.live(), ledger)
            self.assertEqual(server.page.process[0].heap.allocated - before, 300 * 48)

    @unittest.skipUnless(HAS_JEMALLOC, "counts with jemalloc's figures")
    def test_fragment_pins_pages_and_allocates_nothing(self):
        with Server("--defect", "fragment") as server:
            heap = server.page.process[0].heap
            server.visits(400)
            server.settle()
            allocated, active = heap.allocated, heap.active
            server.visits(800)
            server.settle()
            self.assertLess(abs(heap.allocated - allocated), 4096)
            # Every 16th connection merges 28 records of 128 bytes, and their pages stay.
            self.assertGreater(heap.active - active, 800 // 16 * 3000)


if __name__ == "__main__":
    unittest.main(verbosity=2)
