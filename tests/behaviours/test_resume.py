"""Sessions, tickets and keys shared beforehand: what the server's SSL object made of what was offered,
and that it was offered: the bytes that came in."""

import re
import unittest

from behaviour_case import BehaviourCase

TICKETS = "--session=ticket"
CACHE = "--session=cache"
HELD = 2  # at the same time; as many find the store still empty


class ResumeCase(BehaviourCase):
    def both_versions(self, name, *server, **expected):
        """The rows after the first for TLS 1.2 and 1.3."""
        for tls in ("1.2", "1.3"):
            with self.subTest(tls=tls):
                self.all_are(self.later(name, "--tls", tls, server=server), **expected)

    def later(self, name, *client, server=(), **how):
        """The rows of the connections that had something to offer."""
        done = self.drive(name, *client, server=server, **how)
        return sorted(done.rows, key=lambda row: int(row["conn"]))[HELD:]

    def offered(self, name, tls, *server, least=100, **how):
        """The same, and each row shows that so many bytes were offered."""
        done = self.drive(name, "--tls", tls, server=server, **how)
        rows = sorted(done.rows, key=lambda row: int(row["conn"]))
        plain = int(rows[0]["in"])
        offering = [row for row in rows if int(row["in"]) >= plain + least]
        self.assertGreaterEqual(len(offering), 5, rows)
        return offering


class SessionTest(ResumeCase):
    def test_a_ticket_is_resumed(self):
        self.both_versions("resume-ticket", TICKETS, resumed="1", done="1")

    def test_a_session_that_the_server_keeps_is_resumed(self):
        self.both_versions("resume-session-id", CACHE, resumed="1", done="1")

    def test_a_ticket_that_the_callback_ignores_isnt(self):
        for tls in ("1.2", "1.3"):
            server = (TICKETS, "--ticket-callback=ignore")
            rows = self.later("resume-ticket", "--tls", tls, server=server)
            self.all_are(rows, resumed="0", done="1", saw=re.compile(">CERT"))

    def test_a_ticket_that_the_callback_renews_is(self):
        self.both_versions("resume-ticket", TICKETS, "--ticket-callback=renew", resumed="1",
                           saw=re.compile(">NST"))

    def test_a_ticket_that_the_callback_aborts_for_is_refused(self):
        for tls in ("1.2", "1.3"):
            with self.subTest(tls=tls):
                done = self.drive("resume-aborted", "--tls", tls,
                                  server=(TICKETS, "--ticket-callback=abort"))
                self.assertEqual(done.aborted, 20)
                rows = [row for row in done.rows if row["ended"] == "error"]
                self.assertGreaterEqual(len(rows), 15, done.rows)
                self.all_are(rows, done="0", alert_out="internal_error", saw=re.compile("^<CH$"))

    def test_unread_tickets_are_never_used(self):
        for session in (TICKETS, CACHE):
            done = self.drive("tickets-unread", "--tls=1.3", server=(session,))
            self.assertEqual(done.aborted, 20)
            rows = [row for row in done.rows if row["ended"] == "fin"]
            self.assertEqual(len(rows), 20)
            self.all_are(rows, done="1", resumed="0", saw=re.compile(">NST"), data_in="1")


class WorthlessTest(ResumeCase):
    """What is offered is worth nothing: the handshake is a full one."""

    def test_undecryptable(self):
        for tls in ("1.2", "1.3"):
            rows = self.offered("resume-undecryptable", tls, TICKETS)
            self.all_are(rows, resumed="0", done="1", saw=re.compile(">CERT"))

    def test_unknown_to_the_server(self):
        for tls in ("1.2", "1.3"):
            rows = self.offered("resume-unknown-id", tls, CACHE, least=32)
            self.all_are(rows, resumed="0", done="1", saw=re.compile(">CERT"))

    def test_expired(self):
        """The first two seconds there is nothing to offer yet."""
        for tls, session in (("1.2", TICKETS), ("1.3", TICKETS), ("1.3", CACHE)):
            rows = self.offered("resume-expired", tls, session, "--session-timeout=1s", closed=60,
                                churn="15/s", least=32)
            self.all_are(rows, resumed="0", done="1", saw=re.compile(">CERT"))

    def test_rotated(self):
        """The newest ticket is good, the first of all is forgotten after two changes."""
        for tls in ("1.2", "1.3"):
            rows = self.later("resume-rotated", "--tls", tls,
                              server=(TICKETS, "--ticket-rotate=5"), closed=42)
            self.assertTrue(any(row["resumed"] == "1" for row in rows), rows)
            forgotten = [row for row in rows[12:] if row["resumed"] == "0"]
            self.assertGreaterEqual(len(forgotten), 10, rows)

    def test_evicted(self):
        """A cache of four holds the sessions of the last connections only."""
        for tls in ("1.2", "1.3"):
            rows = self.offered("resume-evicted", tls, CACHE, "--cache-size=4", least=32)
            kept = [row for row in rows if row["resumed"] == "1"]
            self.assertLessEqual(len(kept), 8, rows)
            self.all_are(rows[-5:], resumed="0", done="1", saw=re.compile(">CERT"))

    def test_bad_binder(self):
        for session in (TICKETS, CACHE):
            done = self.drive("resume-bad-binder", "--tls=1.3", server=(session,))
            self.assertEqual(done.aborted, 20)
            rows = [row for row in done.rows if row["ended"] == "error"]
            self.assertGreaterEqual(len(rows), 15, done.rows)
            self.all_are(rows, done="0", alert_out="illegal_parameter", saw=re.compile("^<CH$"))


class PskTest(ResumeCase):
    def test_external_key(self):
        for tls, cipher in (("1.2", "PSK"), ("1.3", "TLS_AES_128_GCM_SHA256")):
            done = self.drive("external-psk", "--tls", tls, server=("--psk",))
            self.all_are(done.rows, done="1", cipher=re.compile(cipher))
            for row in done.rows:
                self.assertNotIn(">CERT", row["saw"])

    def test_unknown_identity_goes_on_by_certificate(self):
        rows = self.drive("psk-unknown-identity", "--tls=1.3", server=("--psk",)).rows
        plain = self.drive("clean", "--tls=1.3", server=("--psk",)).rows[0]
        self.all_are(rows, done="1", resumed="0", saw=re.compile(">CERT"))
        for row in rows:
            self.assertGreater(int(row["in"]), int(plain["in"]) + 32)

    def test_unknown_identity_is_refused_in_tls12(self):
        rows = self.cut("psk-unknown-refused", "--tls=1.2", server=("--psk",))
        self.all_are(rows, done="0", alert_out="unknown_psk_identity", saw=re.compile("<CKE$"))

    def test_wrong_key(self):
        for tls, alert, saw in (("1.2", "bad_record_mac", "<CKE"),
                                ("1.3", "illegal_parameter", "^<CH$")):
            rows = self.cut("psk-wrong-key", "--tls", tls, server=("--psk",))
            self.all_are(rows, done="0", alert_out=alert, saw=re.compile(saw))


if __name__ == "__main__":
    unittest.main()
