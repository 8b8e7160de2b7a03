# SPDX-License-Identifier: Apache-2.0
"""What TLS offers beyond a plain handshake: each behaviour by what the server saw of it."""

import os
import re
import subprocess
import tempfile
import threading
import unittest

from behaviour_case import BIN, PATIENCE, BehaviourCase

CONNS, CLOSED = 2, 8
VERSIONS = ("1.2", "1.3")
X25519, P256, P384 = "x25519", "secp256r1", "secp384r1"


class FeatureCase(BehaviourCase):
    def held(self, name, *server, tls="any", client=()):
        """All connections were established by the behaviour and said goodbye; their rows."""
        done = self.drive(name, f"--tls={tls}", *client, server=server, conns=CONNS, closed=CLOSED)
        self.assertEqual(len(done.rows), CLOSED)
        self.all_are(done.rows, done="1", ended="close-notify")
        return done.rows

    def refused(self, name, *server, tls="any", client=()):
        return self.cut(name, f"--tls={tls}", *client, server=server, conns=CONNS, closed=CLOSED)

    def numbers(self, rows, key):
        return [int(row[key]) for row in rows]

    def fails(self, name, said, *server, client=()):
        """The client tells that what was to happen didn't. It tries again and again, until it is
        ended."""
        with tempfile.TemporaryDirectory(prefix="soak-test-") as folder:
            _, port = self.server(os.path.join(folder, "log"), *server)
            process = subprocess.Popen(
                [BIN + "/soak-client", f"--connect=127.0.0.1:{port}", "--conns=1",
                 f"--mix={name}", "--closed=2", *client], text=True,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            timer = threading.Timer(PATIENCE, process.kill)
            timer.start()
            with process:
                line = process.stderr.readline()
                process.kill()
            timer.cancel()
            self.assertIn(said, line)


class NamesTest(FeatureCase):
    def test_another_name_is_served_by_its_own_context(self):
        for tls in VERSIONS:
            self.all_are(self.held("sni-other", "--sni-switch", tls=tls), sni="other.localhost")
        self.fails("sni-other", "certificate is of another name")

    def test_an_unknown_name_is_accepted_or_refused(self):
        for tls in VERSIONS:
            self.all_are(self.held("sni-unknown-name", tls=tls), sni="unknown.invalid")
            self.all_are(self.refused("sni-refused", "--sni-unknown=refuse", tls=tls),
                         sni="unknown.invalid", alert_out="unrecognized_name", done="0")
        warned = self.held("sni-unknown-name", "--sni-unknown=warn", tls="1.2")
        self.all_are(warned, alerts_out="2")

    def test_a_protocol_is_agreed_on_or_not_offered_or_refused(self):
        known = ("--alpn=h2,http/1.1",)
        for tls in VERSIONS:
            match = self.held("alpn-match", *known, tls=tls, client=known)
            self.all_are(match, alpn="http/1.1")
            self.all_are(self.held("alpn-none", *known, tls=tls, client=known), alpn="-")
            self.all_are(self.refused("alpn-mismatch", *known, tls=tls, client=known),
                         alert_out="no_application_protocol", done="0")
        self.fails("alpn-match", "chose another protocol", client=known)


class CertificatesTest(FeatureCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="soak-test-")
        subprocess.run([BIN + "/make-certs", cls.folder.name], check=True, timeout=PATIENCE)
        cls.authority = "--client-ca=" + os.path.join(cls.folder.name, "authority.pem")
        cls.shown = ("--client-certs=" + os.path.join(cls.folder.name, "clients.pem"),)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_good_ones_are_accepted_and_a_long_chain_travels_whole(self):
        for tls in VERSIONS:
            size = {}
            for name in ("cert-good", "cert-long-chain"):
                rows = self.held(name, "--client-auth=require", self.authority, tls=tls,
                                 client=self.shown)
                self.all_are(rows, cert="ok", saw=re.compile(">CR .*<CERT .*<CV"))
                size[name] = min(self.numbers(rows, "in"))
            self.assertGreater(size["cert-long-chain"], size["cert-good"] + 3 * 300)
        self.fails("cert-good", "also needs --client-certs")

    def test_bad_ones_are_refused_each_by_its_alert(self):
        for name, cert, alert in (
                ("cert-expired", "10 (certificate has expired)", "certificate_expired"),
                ("cert-unknown-ca", "20 (unable to get local issuer certificate)", "unknown_ca"),
                ("cert-over-long-chain", "22 (certificate chain too long)", "unknown_ca")):
            for tls in VERSIONS:
                with self.subTest(name=name, tls=tls):
                    rows = self.refused(name, "--client-auth=request", self.authority, tls=tls,
                                        client=self.shown)
                    self.all_are(rows, cert=cert, alert_out=alert, done="0")

    def test_none_is_accepted_where_it_is_requested_and_refused_where_required(self):
        for tls, alert in (("1.2", "handshake_failure"), ("1.3", "certificate_required")):
            rows = self.held("cert-none", "--client-auth=request", self.authority, tls=tls,
                             client=self.shown)
            self.all_are(rows, cert="none", saw=re.compile(">CR .*<CERT"))
            rows = self.refused("cert-missing", "--client-auth=require", self.authority, tls=tls,
                                client=self.shown)
            self.all_are(rows, cert="none", alert_out=alert, done="0")

    def test_a_certificate_is_asked_for_after_the_handshake(self):
        later = ("--client-auth=later", "--requests", self.authority)
        rows = self.held("auth-later", *later, client=self.shown)
        for row in rows:
            self.assertEqual(row["cert"], "ok")
            after = row["saw"].split("<FIN", 1)[1]
            self.assertEqual((after.count(">CR"), after.count("<CERT")), (3, 3), row["saw"])
        rows = [row for row in self.refused("auth-later-none", *later, client=self.shown)]
        self.all_are(rows, alert_out="certificate_required")


class StatusTest(FeatureCase):
    def test_the_status_that_the_server_has_is_stapled(self):
        for tls in VERSIONS:
            size = {}
            for kind in ("none", "good", "large"):
                rows = self.held("ocsp-" + kind, "--ocsp=" + kind, tls=tls)
                size[kind] = min(self.numbers(rows, "out"))
                if tls == "1.2":
                    self.assertEqual("CS" in rows[0]["saw"].split(" >"), kind != "none")
            self.assertGreater(size["good"], size["none"] + 200)
            self.assertGreater(size["large"], size["none"] + 15000)
        self.fails("ocsp-good", "has stapled no status")

    def test_an_empty_one_is_our_own_refusal(self):
        for tls in VERSIONS:
            rows = self.refused("ocsp-empty", "--ocsp=empty", tls=tls)
            self.all_are(rows, alert_in="internal_error", done="0")


class AlgorithmsTest(FeatureCase):
    def test_groups(self):
        for name, group in (("x25519", X25519), ("p256", P256), ("p384", P384)):
            for tls in VERSIONS:
                rows = self.held("group-" + name, tls=tls)
                self.all_are(rows, group=re.compile(group))
                self.assertNotIn("HRR", rows[0]["saw"])

    def test_a_hybrid_group_where_the_library_has_it(self):
        known = subprocess.run(["openssl", "list", "-tls-groups"], capture_output=True, text=True,
                               timeout=PATIENCE, check=False)
        if "X25519MLKEM768" in known.stdout:
            self.all_are(self.held("group-ml-kem"), group=re.compile("MLKEM"))
            return
        done = self.drive("group-ml-kem", "--clean=1", conns=CONNS, closed=CLOSED)
        self.assertIn("group-ml-kem is skipped: this OpenSSL has no X25519MLKEM768",
                      done.client.stderr)
        self.assertNotIn("group-ml-kem", done.client.stdout)

    def test_a_first_key_share_that_the_server_does_not_take(self):
        rows = self.held("hello-retry", "--groups=P-384")
        self.all_are(rows, group=re.compile(P384), saw=re.compile("<CH >HRR .*<CH .*>SH"))
        self.fails("hello-retry", "took the first key share", "--groups=X448")

    def test_either_key_of_the_server(self):
        for tls in VERSIONS:
            ecdsa = self.held("key-ecdsa", "--key=both", tls=tls)
            rsa = self.held("key-rsa", "--key=both", tls=tls)
            # A signature of 256 bytes in the certificate and one in the handshake.
            self.assertGreater(min(self.numbers(rsa, "out")),
                               max(self.numbers(ecdsa, "out")) + 300)
            if tls == "1.2":
                self.all_are(ecdsa, cipher=re.compile("^ECDHE-ECDSA"))
                self.all_are(rsa, cipher=re.compile("^ECDHE-RSA"))
        self.fails("key-rsa", "handshake")

    def test_ciphers(self):
        for name, in_tls12, in_tls13 in (
                ("aes128", "ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_AES_128_GCM_SHA256"),
                ("chacha20", "ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_CHACHA20_POLY1305_SHA256")):
            self.all_are(self.held("cipher-" + name, tls="1.2"), cipher=in_tls12)
            self.all_are(self.held("cipher-" + name, tls="1.3"), cipher=in_tls13)
        self.all_are(self.held("cipher-cbc"), tls="TLSv1.2", cipher="ECDHE-ECDSA-AES128-SHA")


class RecordsTest(FeatureCase):
    def test_small_fragments(self):
        for tls in VERSIONS:
            rows = self.held("max-fragment-512", tls=tls, client=("--payload=4KiB",))
            for row in rows:
                self.assertGreaterEqual(int(row["data-out"]), 8)
                self.assertGreaterEqual(int(row["data-in"]), 8)

    def test_padded_records(self):
        rows = self.held("padded-records")
        # Finished, the message and close_notify.
        self.assertGreater(min(self.numbers(rows, "in")), 3 * 4096)


class AfterTest(FeatureCase):
    def test_keys_are_updated_by_either_end(self):
        rows = self.held("key-update")
        self.all_are(rows, key_updates="16", key_updates_out="8", renegotiations="0")
        rows = self.held("key-update-asked", "--requests")
        for row in rows:
            self.assertEqual(row["key-updates-out"], "8")
            # The client may answer several that come together by one.
            self.assertGreater(int(row["key-updates"]), 8)

    def test_tickets_are_sent_when_asked_for(self):
        for row in self.held("tickets-asked", "--requests", "--tickets=1"):
            sent = re.findall(r">NST(?:×(\d+))?", row["saw"])
            self.assertEqual(sum(int(times or 1) for times in sent), 9, row["saw"])

    def test_renegotiation_by_either_end(self):
        rows = self.held("renegotiate", "--renegotiation")
        self.all_are(rows, renegotiations="3", tls="TLSv1.2")
        self.assertNotIn("HR ", rows[0]["saw"])
        rows = self.held("renegotiate-asked", "--requests")
        self.all_are(rows, renegotiations="3", tls="TLSv1.2", saw=re.compile(">HR <CH"))

    def test_renegotiation_with_a_large_request_for_a_status(self):
        rows = self.held("renegotiate-status", "--renegotiation")
        self.all_are(rows, renegotiations="3", tls="TLSv1.2")
        self.assertGreater(min(self.numbers(rows, "in")), 4 * 50 * 1024)

    def test_renegotiation_is_refused_where_it_is_off(self):
        rows = self.refused("renegotiate-refused")
        self.all_are(rows, renegotiations="0", alert_out="no_renegotiation", done="1")


if __name__ == "__main__":
    unittest.main()
