# SPDX-License-Identifier: Apache-2.0
"""soak-client by itself against a server that a test has made."""

import os
import signal
import subprocess
import tempfile
import unittest

from fixtures import make_certificate
from patience import PATIENCE_S as WAIT_S

CLIENT = os.path.join(os.environ["SOAK_BIN"], "soak-client")


class LoadCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.certificate = make_certificate(cls.folder.name)

    def completes(self, port, *options):
        """All its connections, without a failure."""
        done = subprocess.run([CLIENT, f"--connect=127.0.0.1:{port}", *options], text=True,
                              capture_output=True, timeout=WAIT_S, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("failed      0\n", done.stdout)
        return done

    def fails(self, port, *options):
        """Every connection does, so that it would try for ever. Returns the first reason."""
        with subprocess.Popen([CLIENT, f"--connect=127.0.0.1:{port}", *options], text=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as client:
            said = client.stderr.readline()
            client.send_signal(signal.SIGINT)
            client.communicate(timeout=WAIT_S)
        self.assertEqual(client.returncode, 1, said)
        return said
