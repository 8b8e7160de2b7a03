# SPDX-License-Identifier: Apache-2.0
"""soak-server and soak-client in their sandbox, as they are started; what it refuses is in
unit.test_sandbox."""

import ctypes
import os
import re
import unittest

import soak_run
from server_driver import Server
from test_client import Client


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
        return dict(re.findall(r"^(NoNewPrivs|Seccomp):\s+(\d)", f.read(), re.M))


def has_io_uring():
    """Whether this kernel makes one for this process; it is closed with the process."""
    return ctypes.CDLL(None, use_errno=True).syscall(425, 1, ctypes.create_string_buffer(120)) >= 0


INSIDE, OUTSIDE = {"NoNewPrivs": "1", "Seccomp": "2"}, status_of("self")


@unittest.skipUnless(soak_run.HAS_JEMALLOC, "a build with sanitizers has no sandbox")
class Sandbox(soak_run.SoakTest):
    LATE = ("--conns", "10", "--churn", "max", "--closed", "1500", "--env",
            "LD_PRELOAD=" + os.path.join(soak_run.BIN, "libexec-late.so"))

    def statuses(self, *options):
        """Of a server and of a client that are ready."""
        with Server("--listen", "127.0.0.1:0", *options) as server:
            client = Client(server.port, *options)
            self.addCleanup(client.close)
            self.assertRegex(client.answer(), "^ready ")
            return status_of(server.process.pid), status_of(client.process.pid)

    def test_both_are_inside(self):
        self.assertEqual(self.statuses(), (INSIDE, INSIDE))

    def test_or_outside_where_that_is_wanted(self):
        self.assertEqual(self.statuses("--no-sandbox"), (OUTSIDE, OUTSIDE))

    def test_what_is_refused_ends_the_run_in_a_sentence(self):
        run = self.soak(*self.LATE)
        self.assertEqual(run.exit, 4, run.explain())
        self.assertEqual(run.result["verdict"], "INVALID")
        self.assertIn("(SIGSYS)", run.result["broken"])
        said = ""
        for name in "server.log", "client.log":
            with open(os.path.join(run.folder, name), encoding="utf-8") as f:
                said += f.read()
        self.assertRegex(said, r"soak-\w+: the sandbox refuses the system call execve; --no-sandbox allows it\n")
        self.assertTrue(any("SSL_new" in frame for frame in run.result["crash"]["stack"]), run.result["crash"])

    def test_and_without_a_sandbox_it_goes_on(self):
        run = self.soak(*self.LATE, "--no-sandbox")
        self.assertIn(run.result["verdict"], ("PASS", "INCONCLUSIVE"), run.explain())

    @unittest.skipUnless(has_io_uring(), "this kernel makes no io_uring, or not for this process")
    def test_loops_that_would_have_an_io_uring_run_without_it(self):
        run = self.soak("--conns", "5", "--churn", "max", "--closed", "500",
                        "--env", "LD_PRELOAD=" + os.path.join(soak_run.BIN, "libnewer-libuv.so"))
        self.assertIn(run.result["verdict"], ("PASS", "INCONCLUSIVE"), run.explain())


if __name__ == "__main__":
    unittest.main()
