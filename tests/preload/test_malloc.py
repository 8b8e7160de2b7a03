# SPDX-License-Identifier: Apache-2.0
"""libsoakprobe-malloc.so counts every function of malloc's family, exactly and once, over any allocator."""

import os
import socket
import subprocess
import unittest

from probed import (BIN, HOOKS, JEMALLOC, LIBRARY, MALLOC, MALLOC_ALONE, MALLOC_LIBRARY, NONE, PATIENCE, SHARES,
                    Probed)

FOLDER = os.environ["PRELOAD_FOLDER"]
CASE = BIN + "/malloc-case"
COUNT, SIZE = 100, 777
SIZES = {"small": 3, "pvalloc": 4096}
OVER = {"the C library": MALLOC_LIBRARY, "jemalloc": f"{MALLOC_LIBRARY}:{JEMALLOC}"}


def left(preload, way, count, then):
    """Live blocks and bytes at "malloc":0 and at case.c:1 when the program has ended."""
    with Probed(preload) as probed:
        probed.run(CASE, way, str(count), then)
        parent = probed.processes()[0]
        seen = (probed.page.blocks_lost + probed.page.sites_lost, parent.mode, parent.flags)
        if seen != (0, HOOKS, MALLOC):
            raise AssertionError(f"lost, mode and flags: {seen}")
        openssl = probed.live("case.c", 1) if way == "openssl" else (0, 0)
        return (*probed.live("malloc", 0), *openssl)


def difference(preload, way, then):
    """Of COUNT more: what the first one prepares in the C library is in both."""
    more, one = left(preload, way, COUNT + 1, then), left(preload, way, 1, then)
    return tuple(a - b for a, b in zip(more, one))


class FamilyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ways = subprocess.run([CASE], capture_output=True, text=True, check=True).stdout.split()

    def test_what_is_kept_counts(self):
        for over, preload in OVER.items():
            for way in self.ways:
                kept = (COUNT, COUNT * SIZES.get(way, SIZE))
                expected = (0, 0, *kept) if way == "openssl" else (*kept, 0, 0)
                with self.subTest(way=way, over=over):
                    self.assertEqual(difference(preload, way, "keep"), expected)

    def test_what_is_freed_does_not(self):
        for over, preload in OVER.items():
            for way in self.ways:
                with self.subTest(way=way, over=over):
                    self.assertEqual(difference(preload, way, "free"), (0, 0, 0, 0))


class EndingTest(unittest.TestCase):
    """The C library frees some of a thread's memory when nobody is told any more that the thread ends."""

    def slots(self, preload, way):
        """How many were in use when a hundred threads had ended, one after the other."""
        with Probed(preload) as probed:
            probed.run(CASE, way, str(COUNT), "keep")
            self.assertEqual((probed.page.threads_shared, probed.processes()[0].flags & SHARES), (0, 0))
            return len(probed.slots(probed.processes()[0].pid))

    def test_threads_that_end_take_no_slots_with_them(self):
        for over, preload in OVER.items():
            with self.subTest(over):
                self.assertLessEqual(self.slots(preload, "ending-thread"), 3)

    def test_nor_do_those_of_a_program_with_many_keys(self):
        keys = f"{FOLDER}/libearly-keys.so"
        self.assertEqual(self.slots(f"{MALLOC_LIBRARY} {keys}", "malloc"), 1)
        self.assertLessEqual(self.slots(f"{MALLOC_LIBRARY} {keys}", "thread"), 3)


class OtherMallocTest(unittest.TestCase):
    """A malloc stands before ours: OpenSSL's blocks come from there, because the program frees them there."""

    def test_a_programs_own_serves_openssl_and_is_not_counted(self):
        for preload in (LIBRARY, MALLOC_LIBRARY, f"{MALLOC_LIBRARY} {JEMALLOC}"):
            with self.subTest(preload), Probed(preload) as probed:
                probed.run(BIN + "/own-malloc")
                row, = probed.processes()
                self.assertEqual((row.mode, row.flags), (HOOKS, 0))
                self.assertEqual(probed.live("case.c", 1), (1, 10))
                self.assertNotIn(b"malloc", {site.file for site in probed.page.site})

    def test_one_that_goes_on_to_ours_is_counted_once(self):
        marking = f"{FOLDER}/libmarking-malloc.so {MALLOC_LIBRARY}"
        for way in "malloc", "new":
            with self.subTest(way):
                kept = COUNT, COUNT * (SIZE + 16), 0, 0  # it marks its blocks in 16 bytes before them
                self.assertEqual(difference(marking, way, "keep"), kept)
                self.assertEqual(difference(marking, way, "free"), (0, 0, 0, 0))
        self.assertEqual(difference(marking, "openssl", "keep"), (0, 0, COUNT, COUNT * SIZE))
        left(marking, "openssl", COUNT, "free")  # it knows them

    def test_one_that_does_not_go_on_to_ours_leaves_nothing_to_count(self):
        with Probed(f"{JEMALLOC} {MALLOC_LIBRARY}") as probed:
            probed.run(CASE, "malloc", str(COUNT), "keep")
            row, = probed.processes()
            self.assertEqual((row.mode, row.flags), (HOOKS, 0))


class OwnOperatorsTest(unittest.TestCase):
    """A program has two of C++'s operators, and the C++ library the others, which end in these two."""

    SAYS = "24 made, 24 dropped\n"  # each of four by each of six; those with an alignment end elsewhere

    def kept(self, preload, count):
        with Probed(preload) as probed:
            self.assertEqual(probed.run(BIN + "/own-operators", str(count)), self.SAYS)
            return probed.live("malloc", 0)

    def test_they_meet_with_the_probe_and_each_block_counts_once(self):
        plain = subprocess.run([BIN + "/own-operators"], capture_output=True, text=True)
        if plain.returncode == 77:
            self.skipTest("SKIP: libstdc++.so.6 isn't installed")
        self.assertEqual(plain.stdout, self.SAYS)
        for over, preload in OVER.items():
            with self.subTest(over):
                more, one = self.kept(preload, COUNT + 1), self.kept(preload, 1)
                self.assertEqual((more[0] - one[0], more[1] - one[1]), (COUNT, COUNT * (SIZE + 16)))


class PlantTest(unittest.TestCase):
    def plant(self, preload):
        with Probed(preload) as probed:
            check = probed.page.check
            check.every, check.until, check.lost_at, check.lost_bytes, check.one_time_at = 5, 300, 151, 77, 250
            check.by_operation, probed.page.epoch, probed.page.app.operations = 1, 1 << 34, 1000
            probed.run("sed", "-n", "s/a/b/", "/etc/passwd")
            self.assertEqual(probed.processes()[0].mode, MALLOC_ALONE)
            self.assertEqual((check.turned, check.lost_epoch), (1000, 1))
            self.assertGreater(check.allocs, 12)

    def test_the_self_check_goes_by_operations_where_malloc_alone_is_seen(self):
        for allocator, preload in OVER.items():  # jemalloc is tried by a malloc() within
            with self.subTest(allocator):
                self.plant(preload)


class StackTest(unittest.TestCase):
    def test_the_stacks_of_malloc_begin_at_its_caller(self):
        with Probed(MALLOC_LIBRARY) as probed:
            probed.run(CASE, "malloc", "0", "keep")
            site = probed.site("malloc", 0)
            probed.page.capture.wanted[site // 64] |= 1 << site % 64
            probed.page.epoch |= 1 << 32
            probed.run(CASE, "malloc", str(COUNT), "keep")
            stacks = [s for s in probed.page.capture.stack if s.site == site and s.born[0].blocks == COUNT]
            self.assertEqual([s.born[0].bytes for s in stacks], [COUNT * SIZE])
            self.assertEqual(probed.page.capture.lost, 0)
            self.assertIn(stacks[0].frame[0] >> 40, (0x55, 0x56), "where programs are loaded")


SERVER = """
import socket, sys
SSL
with socket.create_server(("127.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    for _ in range(5):
        listener.accept()[0].close()
sys.stdin.read()
"""


class AcceptTest(unittest.TestCase):
    """Where no library tells of its objects, connections are what is accepted, and the meter check goes by them."""

    def serve(self, preload, imports=""):
        with Probed(preload) as probed:
            check = probed.page.check
            check.until, check.every, check.lost_at, check.lost_bytes = 5, 2, 3, 64
            child = probed.start("/usr/bin/python3", "-c", SERVER.replace("SSL", imports))
            port = int(child.stdout.readline())
            for _ in range(5):
                with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
                    self.assertEqual(connection.recv(1), b"")
            opened, mode = probed.page.app.opened, probed.processes()[0].mode
            planted = probed.live("soak/self-check", 1) if check.lost_epoch else None
            child.communicate()
        return opened, mode, planted

    def test_a_program_without_openssl_is_counted_by_malloc_alone(self):
        self.assertEqual(self.serve(MALLOC_LIBRARY), (5, MALLOC_ALONE, (1, 64)))

    def test_another_library_may_stand_before_it_and_call_it(self):
        self.assertEqual(self.serve(f"{BIN}/libsoak-planter.so {MALLOC_LIBRARY}"), (5, MALLOC_ALONE, (1, 64)))

    def test_openssls_objects_are_better_than_what_is_accepted(self):
        self.assertEqual(self.serve(MALLOC_LIBRARY, "import ssl"), (0, HOOKS, None))

    def test_without_malloc_nothing_is_counted(self):
        self.assertEqual(self.serve(LIBRARY), (0, NONE, None))


class PlainTest(unittest.TestCase):
    def test_without_it_malloc_is_left_alone(self):
        with Probed(LIBRARY) as probed:
            probed.run(CASE, "malloc", str(COUNT), "keep")
            self.assertEqual(probed.processes()[0].flags, 0)
            self.assertNotIn(b"malloc", {site.file for site in probed.page.site})


if __name__ == "__main__":
    unittest.main()
