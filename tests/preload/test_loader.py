# SPDX-License-Identifier: Apache-2.0
"""The probe beside the dynamic linker: while it loads, when a process forks, and in programs that stand before it."""

import os
import unittest

from probed import BIN, HOOKS, LIBRARY, MALLOC_ALONE, MALLOC_LIBRARY, NONE, Probed

FOLDER = os.environ["PRELOAD_FOLDER"]
CASE = BIN + "/loader-case"


class Loader(unittest.TestCase):
    def assert_prints(self, expected, *command):
        """Under each library. Returns how the probe counts OpenSSL's blocks there."""
        modes = []
        for library in (LIBRARY, MALLOC_LIBRARY):
            with self.subTest(library=os.path.basename(library)), Probed(library) as probed:
                self.assertEqual(probed.run(*command), expected)
                modes += [row.mode for row in probed.processes()]
        return modes

    def test_a_libcrypto_is_hooked_once_it_is_loaded_and_left_alone_before(self):
        libraries = [f"{FOLDER}/lib{name}.so" for name in ("loading-chooser", "loading-crypto")]
        modes = self.assert_prints("asked: 1, early: 0, hooked: 1\n", CASE, "load", *libraries)
        self.assertEqual(modes, [HOOKS, HOOKS])

    def test_a_fork_waits_for_a_thread_that_looks_what_is_loaded(self):
        self.assert_prints("child: ends 0\n", CASE, "fork")

    def test_a_thread_looks_what_is_loaded_only_after_a_fork(self):
        self.assert_prints("the asker waits\nchild: ends 0\n", CASE, "late")

    def test_a_program_may_look_for_what_is_behind_its_own_functions_when_they_are_called(self):
        modes = self.assert_prints("objects: some, clock: 0, same: 1\n", BIN + "/own-iterate")
        self.assertEqual(modes, [NONE, MALLOC_ALONE])


if __name__ == "__main__":
    unittest.main()
