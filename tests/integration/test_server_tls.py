# SPDX-License-Identifier: Apache-2.0
"""soak-server's TLS options: what its own SSL objects saw (--log) when OpenSSL's client came."""

import os
import re
import select
import subprocess
import tempfile
import time
import unittest

from patience import until
from server_driver import BIN, PATIENCE, Server

PSK = b"soak: both ends know these bytes".hex()


class Visitor:
    """A logging server, and visits by `openssl s_client`."""

    def __init__(self, *options):
        self.folder = tempfile.TemporaryDirectory()
        self.server = Server("--log", self.path("log"), *options)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def __enter__(self):
        self.server.__enter__()
        return self

    def __exit__(self, *why):
        self.server.__exit__(*why)
        self.folder.cleanup()

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.path(name)

    def visit(self, *options, first=b"", says=b"hello\n", awaits=b"hello\n"):
        """Says something, awaits an echo, leaves. Returns the log's line as a dictionary; it tells
        whether there was a handshake at all."""
        closed = self.server.page.app.closed
        client = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.server.port}", "-quiet",
             "-no_ign_eof", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)
        try:
            self.talk(client, first + says, says, awaits)
            client.stdin.close()
        except BrokenPipeError:
            pass
        try:
            client.wait(PATIENCE)
        finally:
            client.kill()
            client.stdout.close()
        until(lambda: self.server.page.app.closed == closed + 1, "the visit is over")
        return self.log()

    @staticmethod
    def talk(client, first, again, awaits):
        """s_client takes what arrives together with a command for a part of it, so what isn't
        echoed is said again."""
        client.stdin.write(first)
        deadline, got, more = time.monotonic() + PATIENCE, b"", b"."
        while more and awaits not in got and time.monotonic() < deadline:
            if select.select([client.stdout], [], [], 0.5)[0]:
                more = os.read(client.stdout.fileno(), 65536)
                got += more
            else:
                client.stdin.write(again)

    def log(self):
        with open(self.path("log"), encoding="utf-8") as file:
            line = file.read().splitlines()[-1]
        return {key: value.strip('"')
                for key, value in re.findall(r'([a-z-]+)=("(?:[^"\\]|\\.)*"|\S+)', line)}


class Tickets(unittest.TestCase):
    def resumed(self, *options, between=0):
        """What the log says of a visit with the session of an earlier one."""
        with Visitor(*options) as server:
            session = server.path("session")
            server.visit("-tls1_3", "-sess_out", session)
            for _ in range(between):
                server.visit("-tls1_3")
            return server.visit("-tls1_3", "-sess_in", session)

    def test_as_many_are_sent_as_asked_for(self):
        for number, seen in ((0, "<FIN"), (1, ">NST"), (5, ">NST×5")):
            with Visitor("--tickets", str(number)) as server:
                self.assertEqual(server.visit("-tls1_3")["saw"].split()[-1], seen)

    def test_the_callback_renews_ignores_or_aborts(self):
        self.assertEqual(self.resumed("--ticket-callback", "renew")["resumed"], "1")
        ignored = self.resumed("--ticket-callback", "ignore")
        self.assertEqual((ignored["resumed"], ignored["done"]), ("0", "1"))
        aborted = self.resumed("--ticket-callback", "abort")
        self.assertEqual((aborted["done"], aborted["ended"]), ("0", "error"))
        self.assertNotEqual(aborted["alert-out"], "-")

    def test_the_key_before_opens_tickets_and_older_ones_do_not(self):
        for between, resumed in ((1, "1"), (3, "0")):
            log = self.resumed("--ticket-rotate", "2", between=between)
            self.assertEqual((log["resumed"], log["done"]), (resumed, "1"), between)

    def test_a_session_is_resumed_within_its_time_only(self):
        self.assertEqual(self.resumed("--session-timeout", "300s")["resumed"], "1")
        with Visitor("--session-timeout", "1s") as server:
            session = server.path("session")
            server.visit("-sess_out", session)
            time.sleep(2.1)
            self.assertEqual(server.visit("-sess_in", session)["resumed"], "0")

    def test_early_data_is_accepted_once_and_echoed(self):
        with Visitor("--early-data", "16KiB", "--tickets", "1") as server:
            session, early = server.path("session"), server.write("early", b"early\n")
            server.visit("-tls1_3", "-sess_out", session)
            server.server.settle()
            self.assertEqual(server.server.page.cache[0].capacity, 20480)
            first = server.visit("-tls1_3", "-sess_in", session, "-early_data", early,
                                 says=b"", awaits=b"early\n")
            again = server.visit("-tls1_3", "-sess_in", session, "-early_data", early)
            self.assertEqual((first["early"], first["resumed"]), ("accepted", "1"))
            self.assertEqual((again["early"], again["resumed"]), ("rejected", "0"))

    def test_the_key_both_ends_know_is_taken_in_either_version(self):
        for option, offered in (("--psk", "1"), ("--tickets=2", "0")):
            with Visitor(option) as server:
                log = server.visit("-tls1_3", "-psk", PSK, "-psk_identity", "soak",
                                   "-ciphersuites", "TLS_AES_128_GCM_SHA256")
                self.assertEqual(log["resumed"], offered)
                log = server.visit("-tls1_2", "-psk", PSK, "-psk_identity", "soak",
                                   "-cipher", "kECDHEPSK")
                self.assertEqual(log["done"], offered)


class Features(unittest.TestCase):
    def test_a_status_is_stapled_when_asked_for(self):
        sizes = {}
        for kind in ("none", "good", "large"):
            with Visitor("--ocsp", kind) as server:
                sizes[kind] = int(server.visit("-tls1_3", "-status")["out"])
        self.assertGreater(sizes["good"], sizes["none"] + 200)
        self.assertGreater(sizes["large"], sizes["none"] + 59000)  # s_client then ends it
        with Visitor("--ocsp", "empty") as server:
            log = server.visit("-tls1_3", "-status")
            self.assertEqual((log["done"], log["alert-in"]), ("0", "internal_error"))

    def test_the_other_name_has_its_own_certificate_and_an_unknown_one_is_refused(self):
        with Visitor("--sni-switch", "--sni-unknown", "refuse") as server:
            for name, done, alert in (("localhost", "1", "close_notify"),
                                      ("other.localhost", "1", "close_notify"),
                                      ("neither", "0", "unrecognized_name")):
                log = server.visit("-servername", name)
                self.assertEqual((log["done"], log["alert-out"]), (done, alert), name)
            pem = subprocess.run(["openssl", "s_client", "-connect",
                                  f"127.0.0.1:{server.server.port}", "-servername",
                                  "other.localhost"], stdin=subprocess.DEVNULL,
                                 capture_output=True, timeout=PATIENCE, check=False).stdout
            self.assertIn(b"CN = other.localhost", pem)

    def test_an_unknown_name_is_warned_of_in_tls_1_2(self):
        with Visitor("--sni-unknown", "warn") as server:
            log = server.visit("-tls1_2", "-servername", "neither")
            self.assertEqual((log["done"], log["alerts-out"]), ("1", "2"))

    def test_a_group_without_a_key_share_is_asked_for_again(self):
        with Visitor("--groups", "P-384") as server:
            log = server.visit("-tls1_3", "-groups", "X25519:P-384")
            self.assertEqual(log["group"], "secp384r1")
            self.assertIn("<CH >HRR", log["saw"])

    def test_the_ciphers_of_both_versions_are_those_named(self):
        older, newer = "ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_CHACHA20_POLY1305_SHA256"
        with Visitor("--ciphers", older + ":" + newer) as server:
            self.assertEqual(server.visit("-tls1_2")["cipher"], older)
            self.assertEqual(server.visit("-tls1_3")["cipher"], newer)

    def test_both_keys_are_there(self):
        with Visitor("--key", "both") as server:
            for kind in ("RSA", "ECDSA"):
                log = server.visit("-tls1_2", "-cipher", f"ECDHE-{kind}-AES128-GCM-SHA256")
                self.assertEqual(log["cipher"], f"ECDHE-{kind}-AES128-GCM-SHA256")

    def test_a_peer_renegotiates_where_it_may(self):
        for options, times in ((("--renegotiation",), "1"), ((), "0")):
            with Visitor(*options) as server:
                log = server.visit("-tls1_2", first=b"R\n")
                self.assertEqual(log["renegotiations"], times)

    def test_padding_fills_the_records(self):
        with Visitor("--record-padding", "4096", "--tickets", "0") as server:
            self.assertGreater(int(server.visit("-tls1_3")["out"]), 4096 * 3)


class ClientAuth(unittest.TestCase):
    """The certificates of make-certs, as soak hands them to its client."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        subprocess.run([BIN + "/make-certs", cls.folder.name], check=True, timeout=PATIENCE)
        cls.authority = os.path.join(cls.folder.name, "authority.pem")
        cls.clients = os.path.join(cls.folder.name, "clients.pem")
        with open(cls.clients, encoding="ascii") as file:
            sections = file.read().split("kind ")[1:]
        cls.kinds = {}
        for section in sections:
            kind, pem = section.split("\n", 1)
            cls.kinds[kind] = os.path.join(cls.folder.name, kind)
            with open(cls.kinds[kind], "w", encoding="ascii") as file:
                file.write(pem)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def show(self, server, kind):
        path = self.kinds[kind]
        return server.visit("-tls1_3", "-cert", path, "-key", path, "-cert_chain", path)

    def test_each_kind_ends_by_the_right_alert(self):
        with Visitor("--client-auth", "request", "--client-ca", self.authority) as server:
            for kind, cert, alert in (
                    ("good", "ok", "close_notify"),
                    ("long-chain", "ok", "close_notify"),
                    ("expired", "10 (certificate has expired)", "certificate_expired"),
                    ("unknown-ca", "20 (unable to get local issuer certificate)", "unknown_ca"),
                    ("over-long-chain", "22 (certificate chain too long)", "unknown_ca")):
                log = self.show(server, kind)
                self.assertEqual((log["cert"], log["alert-out"]), (cert, alert), kind)
            self.assertEqual(server.visit()["cert"], "none")

    def test_later_asks_for_none_in_the_handshake(self):
        with Visitor("--client-auth", "later", "--client-ca", self.authority) as server:
            log = self.show(server, "good")
            self.assertEqual((log["cert"], log["done"]), ("none", "1"))
            self.assertNotIn(">CR", log["saw"])

    def test_soak_client_shows_the_good_one(self):
        with Visitor("--client-auth", "require", "--client-ca", self.authority) as server:
            subprocess.run([BIN + "/soak-client", "--connect",
                            f"127.0.0.1:{server.server.port}", "--conns", "1", "--closed", "1",
                            "--client-certs", self.clients], check=True, timeout=PATIENCE,
                           stdout=subprocess.DEVNULL)
            until(lambda: server.server.page.app.closed >= 1, "it has left")
            self.assertEqual(server.log()["cert"], "ok")


class Refuses(unittest.TestCase):
    def test_what_cannot_go_together_is_told_in_a_sentence(self):
        for options, said in (
                (("--tickets", "17"), "at most 16"),
                (("--ticket-callback", "abort", "--session", "cache"), "only with --session ticket"),
                (("--ticket-rotate", "5", "--early-data", "1kB"), "no ticket is decrypted"),
                (("--early-data", "1kB", "--tls", "1.2"), "TLS 1.2 has none"),
                (("--early-data", "1kB", "--session", "none"), "needs sessions"),
                (("--session-timeout", "1500ms"), "whole seconds"),
                (("--record-padding", "16385"), "at most 16,384"),
                (("--record-padding", "64", "--tls", "1.2"), "TLS 1.2 has none"),
                (("--renegotiation", "--tls", "1.3"), "TLS 1.3 has none"),
                (("--sni-unknown", "warn", "--tls", "1.3"), "TLS 1.3 has no warnings"),
                (("--client-auth", "request"), "also needs --client-ca"),
                (("--client-auth", "later", "--client-ca", "x", "--tls", "1.2"), "handshake only"),
                (("--ciphers", "TLS_AES_128_GCM_SHA256", "--psk"), "leave one of the two out"),
                (("--ciphers", "TLS_AES_128_GCM_SHA256", "--tls", "1.2"), "none is of TLS 1.2"),
                (("--ciphers", "AES128-SHA", "--tls", "1.3"), "none is of TLS 1.3"),
                (("--ciphers", "TLS_NONE"), "TLS_NONE: "),
                (("--groups", "none"), "can't set the groups")):
            done = subprocess.run([BIN + "/soak-server", *options], capture_output=True, text=True,
                                  timeout=PATIENCE, check=False)
            self.assertNotEqual(done.returncode, 0, options)
            self.assertIn(said, done.stderr)


if __name__ == "__main__":
    unittest.main()
