# SPDX-License-Identifier: Apache-2.0
"""The dialogue before TLS: what ends within it never had an SSL object, and the others are the same
behind it. The bytes on the wire are in tests/integration/test_starttls.py."""

import unittest

from behaviour_case import BehaviourCase


class StarttlsTest(BehaviourCase):
    def ends_before_tls(self, name, **expected):
        for protocol in ("smtp", "postgres", "xmpp"):
            with self.subTest(protocol):
                starttls = f"--starttls={protocol}"
                rows = self.cut(name, starttls, server=(starttls,))
                self.all_are(rows, state="before TLS", tls="-", saw="-", done="0", **expected)

    def test_starttls_abort_comes_to_no_object(self):
        self.ends_before_tls("starttls-abort")

    def test_starttls_garbage_comes_to_no_object(self):
        self.ends_before_tls("starttls-garbage")

    def test_starttls_inject_comes_to_no_object(self):
        self.ends_before_tls("starttls-inject")

    def test_starttls_inject_into_mysql_reaches_openssl_which_refuses_it(self):
        rows = self.cut("starttls-inject", "--starttls=mysql", server=("--starttls=mysql",))
        self.all_are(rows, ended="error", done="0")
        self.assertNotIn("before TLS", {row["state"] for row in rows})

    def test_a_handshake_fails_behind_it_as_it_does_without(self):
        rows = self.cut("rst-server-flight", "--starttls=imap", server=("--starttls=imap",))
        self.all_are(rows, ended="reset", done="0", tls="TLSv1.3")


if __name__ == "__main__":
    unittest.main()
