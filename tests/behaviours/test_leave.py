# SPDX-License-Identifier: Apache-2.0
"""Ways to leave: what the server saw of the handshake when the peer was gone, and how it went."""

import re
import unittest

from behaviour_case import BehaviourCase

# The server's view: < came in, > went out. After the last flight named nothing more came in.
HELLO = re.compile(r"^<CH")
NOTHING = re.compile(r"^-?$")
SERVER_FLIGHT = {"1.3": re.compile(r"^<CH >SH.* >CERT >CV >FIN$"),
                 "1.2": re.compile(r"^<CH >SH >CERT >SKE >SHD$")}
FINISHED = re.compile(r"<FIN")
TICKET = re.compile(r">NST")


class HeldTest(BehaviourCase):
    """Held connections that leave each in its own way."""

    def left(self, name, ended, *client, server=()):
        done = self.drive(name, *client, server=server)
        rows = [row for row in done.rows if row["ended"] == ended]
        self.all_are(rows, done="1")
        # The last ones open are drained cleanly.
        self.assertEqual(len(rows), len(done.rows) - 2, done.rows)
        return rows

    def test_no_close_notify_is_a_fin_without_an_alert(self):
        self.all_are(self.left("no-close-notify", "fin"), alert_in="-")

    def test_half_close_is_a_fin_without_an_alert(self):
        self.all_are(self.left("half-close", "fin"), alert_in="-")

    def test_reset_is_a_reset(self):
        self.all_are(self.left("reset", "reset"), alert_in="-")

    def test_clean_says_close_notify(self):
        done = self.drive("clean")
        self.all_are(done.rows, ended="close-notify", done="1", alert_in="close_notify")
        self.assertEqual(len(done.rows), 22)

    def test_server_first_is_closed_by_the_server_and_answered(self):
        rows = self.left("server-first", "server", server=("--requests",))
        self.all_are(rows, alert_out="close_notify", alert_in="close_notify")


class CutTest(BehaviourCase):
    """Connections that are cut after each flight, by RST and by FIN."""

    def both(self, point, *client, server=(), **seen):
        for how, ended in (("rst", "reset"), ("fin", "fin")):
            with self.subTest(how=how):
                rows = self.cut(f"{how}-{point}", *client, server=server)
                self.all_are(rows, **{"ended": ended, **seen})

    def test_connected(self):
        self.both("connected", saw=NOTHING, done="0", **{"in": "0"})

    def test_client_hello(self):
        for tls in ("1.2", "1.3"):
            self.both("client-hello", "--tls", tls, saw=HELLO, done="0")

    def test_server_hello(self):
        for tls in ("1.2", "1.3"):
            self.both("server-hello", "--tls", tls, saw=SERVER_FLIGHT[tls], done="0")

    def test_server_flight(self):
        for tls in ("1.2", "1.3"):
            self.both("server-flight", "--tls", tls, saw=SERVER_FLIGHT[tls], done="0")

    def test_key_exchange(self):
        self.both("key-exchange", "--tls=1.2", saw=re.compile(r"<CKE$"), done="0")

    def test_finished(self):
        for tls in ("1.2", "1.3"):
            self.both("finished", "--tls", tls, saw=FINISHED, data_in="0")

    def test_ticket(self):
        for tls in ("1.2", "1.3"):
            self.both("ticket", "--tls", tls, saw=TICKET, done="1", data_in="0")

    def test_data(self):
        for tls in ("1.2", "1.3"):
            rows = self.cut("rst-data", "--tls", tls)
            self.all_are(rows, ended="reset", done="1", data_in=re.compile("^[1-9]"))

    def test_large_write(self):
        self.both("large-write", server=("--requests",), done="1")


if __name__ == "__main__":
    unittest.main()
