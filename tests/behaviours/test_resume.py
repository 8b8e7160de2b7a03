# SPDX-License-Identifier: Apache-2.0
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
            rows = self.offered("resume-ticket", tls, TICKETS, "--ticket-callback=ignore")
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
            rows = self.offered("resume-expired", tls, session, "--session-timeout=1s", closed=52,
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
        done = self.drive("psk-unknown-identity", "--tls=1.3", server=("--psk",), tapped=True)
        self.all_are(done.rows, done="1", resumed="0", saw=re.compile(">CERT"))
        hellos = done.tap.hellos()
        self.assertEqual(len(hellos), 22)
        for hello in hellos.values():
            self.assertIn(b"\x00\x05stray", hello)

    def test_unknown_identity_is_refused_in_tls12(self):
        rows = self.cut("psk-unknown-refused", "--tls=1.2", server=("--psk",))
        self.all_are(rows, done="0", alert_out="unknown_psk_identity", saw=re.compile("<CKE$"))

    def test_wrong_key(self):
        for tls, alert, saw in (("1.2", "bad_record_mac", "<CKE"),
                                ("1.3", "illegal_parameter", "^<CH$")):
            rows = self.cut("psk-wrong-key", "--tls", tls, server=("--psk",))
            self.all_are(rows, done="0", alert_out=alert, saw=re.compile(saw))


def word(data, at, size):
    return int.from_bytes(data[at:at + size], "big"), at + size


def session_of(hello):
    """What a ClientHello asks to resume: the PSK's identity, or the session's ID."""
    length, at = word(hello, 43, 1)
    session, at = hello[at:at + length], at + length
    length, at = word(hello, at, 2)
    length, at = word(hello, at + length, 1)
    length, at = word(hello, at + length, 2)
    end = at + length
    while at < end:
        kind, at = word(hello, at, 2)
        length, at = word(hello, at, 2)
        if kind == 41:
            size, first = word(hello, at + 2, 2)
            return hello[first:first + size]
        at += length
    return session


class OverlapTest(ResumeCase):
    """One session, several handshakes: seen on the wire."""

    def groups(self, tls, session, *others, **how):
        """Connections that offered the same session, at least two each; the events."""
        done = self.drive("resume-overlap", "--tls", tls, *others, server=(session,), conns=4,
                          closed=44, tapped=True, **how)
        by_session = {}
        for number, hello in done.tap.hellos().items():
            by_session.setdefault(session_of(hello), []).append(number)
        return done, [group for group in by_session.values() if len(group) in (2, 3, 4)]

    def flights(self, done, number):
        """Where in the events the client's flights are, and where its server's first is."""
        mine = [i for i, event in enumerate(done.tap.events) if event[0] == number]
        client = [i for i in mine if done.tap.events[i][1] == "client"]
        server = [i for i in mine if done.tap.events[i][1] == "server"]
        return client, server

    def all_overlap(self, done, groups):
        self.assertGreaterEqual(len(groups), 3, done.tap.events)
        for group in groups:
            flights = [self.flights(done, number) for number in group]
            answered = max(server[0] for _, server in flights)
            self.assertLess(answered, min(client[1] for client, _ in flights), group)

    def kinds(self):
        return [("1.2", TICKETS), ("1.2", CACHE), ("1.3", TICKETS), ("1.3", CACHE)]

    def test_they_are_in_their_handshakes_together(self):
        for tls, session in self.kinds():
            with self.subTest(tls=tls, session=session):
                done, groups = self.groups(tls, session)
                self.all_overlap(done, groups)
                resumed = sum(row["resumed"] == "1" for row in done.rows)
                self.assertGreaterEqual(resumed, 30, done.rows)
                self.all_are(done.rows, done="1", ended="close-notify")

    def spoiled(self, name, tls, session):
        done, groups = self.groups(tls, session, f"--{name}=1")
        self.all_overlap(done, groups)
        spoiled = 0
        for group in groups:
            ends = {number: done.tap.events[self.flights(done, number)[0][-1]] for number in group}
            bad = [n for n in group if self.is_bad(done, name, n)]
            for good in set(group) - set(bad):
                for number in bad:
                    over = self.flights(done, number)
                    acted = over[0][1]
                    self.assertLess(acted, self.flights(done, good)[0][1], ends)
            spoiled += 0 < len(bad) < len(group)
        self.assertGreater(spoiled, 0)
        self.assertGreaterEqual(done.aborted, 5)
        return done

    def is_bad(self, done, name, number):
        """The server said an alert of two bytes and nothing else, or the client reset."""
        client, server = self.flights(done, number)
        if name == "overlap-abort":
            return done.tap.events[client[1]][2] == b""
        return len(done.tap.of(number, "client")) and len(server) >= 2 and self.is_alert(
            done.tap.events[server[1]][2])

    def is_alert(self, data):
        """The only record is as short as an alert is when it is encrypted, and ends it."""
        return len(data) in (24, 31) and data[0] in (21, 23)

    def test_one_of_them_is_corrupt(self):
        for tls, session in self.kinds():
            with self.subTest(tls=tls, session=session):
                done = self.spoiled("overlap-corrupt", tls, session)
                rows = [row for row in done.rows if row["ended"] == "error"]
                self.assertEqual(len(rows), done.aborted)
                self.all_are(rows, done="0", alert_out="bad_record_mac")

    def test_one_of_them_is_reset(self):
        for tls, session in self.kinds():
            with self.subTest(tls=tls, session=session):
                done = self.spoiled("overlap-abort", tls, session)
                rows = [row for row in done.rows if row["ended"] == "reset"]
                self.assertEqual(len(rows), done.aborted, done.rows)
                self.all_are(rows, done="0", data_in="0")


class EarlyDataTest(ResumeCase):
    SERVER = ("--early-data=16KiB",)

    def test_accepted(self):
        for session in (TICKETS, CACHE):
            rows = self.later("early-data-accepted", "--tls=1.3", server=(session, *self.SERVER))
            self.all_are(rows, early="accepted", resumed="1", done="1", saw=re.compile("<EOED"))

    def test_a_message_larger_than_what_goes_early_is_whole(self):
        rows = self.later("early-data-accepted", "--tls=1.3", "--payload=40KiB",
                          server=self.SERVER)
        self.all_are(rows, early="accepted", done="1")

    def test_rejected_for_its_age(self):
        for server in ((), self.SERVER, (CACHE,)):
            with self.subTest(server=server):
                rows = self.later("early-data-rejected", "--tls=1.3", server=server)
                self.all_are(rows, early="rejected", resumed="1", done="1")

    def test_the_second_time_it_is_refused(self):
        for session in (TICKETS, CACHE):
            done = self.drive("early-data-replayed", "--tls=1.3", server=(session, *self.SERVER))
            seen = [(row["early"], row["resumed"]) for row in done.rows]
            self.assertEqual(set(seen), {("none", "0"), ("accepted", "1"), ("rejected", "0")})
            self.assertLessEqual(abs(seen.count(("accepted", "1")) -
                                     seen.count(("rejected", "0"))), 1)


if __name__ == "__main__":
    unittest.main()
