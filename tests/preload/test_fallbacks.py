# SPDX-License-Identifier: Apache-2.0
"""Where OpenSSL takes no memory functions: its own functions are interposed if that is exact, and BoringSSL's
weak ones are defined. What is counted is what the hooks would count, or nothing."""

import os
import sys
import unittest
from pathlib import Path

from probed import (BIN, BORINGSSL, HOOKS, INTERPOSED, LATE, LIBRARY, MALLOC, MALLOC_LIBRARY, NONE, Probed)

CASE, OWN_MALLOC = BIN + "/opened-case", BIN + "/own-opened-case"
FOLDER = Path(os.environ["PRELOAD_FOLDER"])
LIBCRYPTO = "libcrypto.so.3"
BORING = next(map(str, Path("/usr/lib").glob("*/android/libcrypto.so.0")), None)
COUNT, SIZE, GROWN = 50, 100, 9000
PRELOADS = {LIBRARY: 0, MALLOC_LIBRARY: MALLOC}  # and the flags that it sets


class Left:
    """What a case that has ended left behind: by site, but for what isn't OpenSSL's."""

    def __init__(self, preload, library, way, count, then, case=CASE):
        with Probed(preload) as probed:
            probed.run(case, str(library), way, str(count), then)
            self.mode, self.flags = probed.processes()[0].mode, probed.processes()[0].flags
            names = [(probed.page.site[i].file.decode(), probed.page.site[i].line) for i in range(probed.page.sites)]
            self.sites = {name: probed.live(*name) for name in names[1:] if name[0] != "malloc"}
            self.lost = probed.page.blocks_lost + probed.page.sites_lost

    def minus(self, other):
        pairs = {name: (self.sites.get(name, (0, 0)), other.sites.get(name, (0, 0)))
                 for name in self.sites.keys() | other.sites.keys()}
        more = {name: (a[0] - b[0], a[1] - b[1]) for name, (a, b) in pairs.items()}
        return {name: what for name, what in more.items() if what != (0, 0)}


def objects(preload, library, way, then, case=CASE):
    """The mode, the flags and what COUNT more objects left."""
    more, one = Left(preload, library, way, COUNT + 1, then, case), Left(preload, library, way, 1, then, case)
    assert more.lost == 0
    return more.mode, more.flags, more.minus(one)


class InterposedTest(unittest.TestCase):
    def test_a_libcrypto_that_has_allocated_counts_as_with_hooks(self):
        for preload, flags in PRELOADS.items():
            with self.subTest(preload):
                mode, _, hooked = objects(preload, LIBCRYPTO, "bio", "keep")
                self.assertEqual(mode, HOOKS)
                self.assertGreaterEqual(sum(blocks for blocks, _ in hooked.values()), 2 * COUNT)
                late = objects(preload, LIBCRYPTO, "late-bio", "keep")
                self.assertEqual(late, (INTERPOSED, flags | LATE, hooked))

    def test_what_it_frees_is_seen(self):
        for preload in PRELOADS:
            with self.subTest(preload):
                mode, _, left = objects(preload, LIBCRYPTO, "late-bio", "free")
                self.assertEqual((mode, left), (INTERPOSED, {}))

    def test_each_block_counts_once_at_its_site(self):
        for preload, flags in PRELOADS.items():
            with self.subTest(preload):
                self.assertEqual(objects(preload, FOLDER / "liblate-crypto.so", "late", "keep"),
                                 (INTERPOSED, flags | LATE, {("late.c", 2): (COUNT, COUNT * SIZE)}))

    def test_one_whose_own_calls_cannot_be_seen_is_not_counted(self):
        for binding in ("symbolic", "symbolic-functions"):
            with self.subTest(binding):
                self.assertEqual(objects(LIBRARY, FOLDER / f"liblate-crypto-{binding}.so", "late", "keep"),
                                 (NONE, LATE, {}))


class BoringTest(unittest.TestCase):
    def assert_counts(self, library, case=CASE):
        for preload, malloc in PRELOADS.items():
            flags = malloc if case == CASE else 0
            with self.subTest(preload):
                self.assertEqual(objects(preload, library, "boring", "keep", case),
                                 (BORINGSSL, flags, {("boringssl", 0): (COUNT, COUNT * GROWN)}))
                self.assertEqual(objects(preload, library, "boring", "free", case), (BORINGSSL, flags, {}))

    def test_weak_functions_are_defined(self):
        self.assert_counts(FOLDER / "libboring-crypto.so")

    def test_the_size_of_a_block_is_told_whosever_malloc_it_is_from(self):
        self.assert_counts(FOLDER / "libboring-crypto.so", OWN_MALLOC)

    def test_androids_boringssl_is_counted(self):
        if not BORING:
            print("SKIP BoringSSL isn't installed (package android-libboringssl)", file=sys.stderr)
            self.skipTest("BoringSSL isn't installed (package android-libboringssl)")
        self.assert_counts(BORING)


if __name__ == "__main__":
    unittest.main()
