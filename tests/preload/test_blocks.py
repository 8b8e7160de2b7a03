# SPDX-License-Identifier: Apache-2.0
"""What libsoakprobe.so counts in a program that allocates through OpenSSL: exact, by site and epoch."""

import os
import subprocess
import unittest

from probed import CASE, LIBRARY, NO_OPENSSL, Case, Probed


class BlocksTest(unittest.TestCase):
    def test_a_block_counts_at_its_site_and_epoch_until_it_is_freed(self):
        with Case() as case:
            case.begin("sites")
            self.assertEqual(case.live("case.c", 1), (3, 300))
            case.page.epoch = 1
            case.step()
            self.assertEqual(case.live("case.c", 1), (2, 200))
            self.assertEqual(case.live("case.c", 2, epoch=0), (0, 0))
            self.assertEqual(case.live("case.c", 2, epoch=1), (2, 70001))
            case.step()
            self.assertEqual(case.blocks() - case.live("case.c", 1)[0], case.blocks())
            self.assertEqual(case.live("case.c", 2, epoch=1), (0, 0))
            case.end()

    def test_any_size_is_counted_exactly(self):
        with Case() as case:
            case.begin("sizes")
            self.assertEqual(case.live("case.c", 2), (1, 600 << 20))
            self.assertEqual(case.live("case.c", 3), (1, 1))
            case.step()
            self.assertEqual(case.live("case.c", 2), (0, 0))
            self.assertEqual(case.live("case.c", 4), (1, (600 << 20) + 5))
            case.step()
            self.assertEqual(case.live("case.c", 4), (0, 0))
            self.assertEqual(case.page.blocks_lost, 0)
            case.end()

    def test_a_realloc_keeps_the_birth_epoch_and_moves_the_site(self):
        with Case() as case:
            case.begin("reallocs")
            self.assertEqual(case.live("case.c", 1), (1, 50))
            case.page.epoch = 1
            case.step()
            self.assertEqual(case.live("case.c", 1), (0, 0))
            self.assertEqual(case.live("case.c", 2), (1, 5000000))
            case.step()  # one that fails changes nothing
            self.assertEqual(case.live("case.c", 2), (1, 5000000))
            case.step()
            self.assertEqual(case.live("case.c", 2), (0, 0))
            self.assertEqual(case.live("case.c", 4, epoch=1), (1, 20))
            case.step()
            self.assertEqual(case.live("case.c", 4, epoch=1), (0, 0))
            case.end()

    def test_blocks_that_go_by_free_count_until_their_address_is_used_again(self):
        with Case() as case:
            case.begin("strangers")
            self.assertEqual(case.live("case.c", 1), (5, 1000))
            case.step()
            self.assertEqual(case.live("case.c", 1), (0, 0))
            self.assertEqual(case.live("case.c", 2), (5, 1000))
            case.step()  # blocks that aren't ours come and go
            self.assertEqual(case.live("case.c", 1), (0, 0))
            self.assertEqual(case.live("case.c", 2), (0, 0))
            self.assertEqual(case.live("case.c", 3), (0, 0))
            case.end()

    def test_stacks_of_a_marked_site_add_up_to_its_blocks(self):
        with Case() as case:
            case.begin("captured")
            capture, site = case.page.capture, case.site("case.c", 1)

            def stacks():
                return sorted((s.born[1].blocks, s.born[1].bytes) for s in capture.stack
                              if s.ready and s.site == site and s.frames > 3)
            self.assertEqual(stacks(), [])
            capture.wanted[site // 64] = 1 << site % 64
            case.page.epoch = 1 | 1 << 32
            case.step()
            self.assertEqual(stacks(), [(1, 100), (2, 200)])
            self.assertEqual(case.live("case.c", 1, epoch=1), (3, 300))
            case.step()
            self.assertEqual(stacks(), [(0, 0), (0, 0), (1, 500000)])
            self.assertEqual(case.live("case.c", 1, epoch=1), (1, 500000))
            case.step()
            self.assertEqual(stacks(), [(0, 0), (0, 0), (0, 0)])
            self.assertEqual((capture.taken, capture.lost), (4, 0))
            case.end()

    def test_threads_sum_up_exactly(self):
        with Case() as case:
            case.begin("threads")
            blocks, allocs, frees = case.blocks(), case.total("allocs"), case.total("frees")
            case.step()
            self.assertEqual(case.blocks() - blocks, 8)
            self.assertEqual((case.total("allocs") - allocs) - (case.total("frees") - frees), 8)
            self.assertGreater(case.total("allocs") - allocs, 8 * 10000)
            case.step()
            self.assertEqual(case.blocks(), blocks)
            case.end()

    def test_what_is_freed_while_a_thread_ends_is_its_processs(self):
        with Case() as case:
            case.begin("endings")
            case.step()
            self.assertEqual(case.live("case.c", 6, pid=case.child.pid), (0, 0))
            self.assertEqual(case.page.threads_shared, 0)
            case.end()

    def test_handlers_of_signals_may_allocate(self):
        with Case() as case:
            case.begin("signals")
            blocks, allocs, frees = case.blocks(), case.total("allocs"), case.total("frees")
            case.step()
            self.assertGreaterEqual(int(case.said[0]), 400)
            self.assertEqual(case.blocks(), blocks)
            self.assertEqual(case.total("allocs") - allocs, case.total("frees") - frees)
            self.assertEqual(case.page.threads_shared, 0)
            case.end()


class PageTest(unittest.TestCase):
    """A page that can't be reached, or is none of ours: the program runs as without the probe."""

    def refused(self, case, where):
        child = case.start(CASE, "execs", env=case.environment() | {"SOAK_PROBE": where})
        child.communicate("go\n")
        self.assertEqual(child.returncode, 0)
        self.assertEqual((case.processes(), case.page.sites, case.page.mode), ([], 0, 0))

    def test_the_page_may_be_reached_by_its_path(self):
        with Case() as case:
            case.begin("execs", pass_fds=())
            self.assertEqual(case.live("case.c", 1), (1, 30))
            case.end()

    def test_another_file_at_the_descriptor_is_let_alone(self):
        with Case() as case:
            other = os.memfd_create("other")
            where = case.where().split(",")
            where[0] = f"fd={other}"
            case.begin("execs", env=case.environment() | {"SOAK_PROBE": ",".join(where)}, pass_fds=(other,))
            self.assertEqual(case.live("case.c", 1), (1, 30))
            self.assertEqual(os.fstat(other).st_size, 0)
            case.end()

    def test_a_page_of_another_version_is_refused(self):
        with Case() as case:
            case.page.version += 1
            self.refused(case, case.where())

    def test_what_is_no_page_is_refused(self):
        with Case() as case:
            case.page.magic += 1
            self.refused(case, case.where())

    def test_words_that_name_no_page_are_passed_over(self):
        with Case() as case:
            for where in ("", "fd=", "fd=3", "fd=999,ino=1:2,path=/nowhere", "x" * 5000):
                self.refused(case, where)


class LibraryTest(unittest.TestCase):
    def test_it_needs_the_c_library_alone(self):
        text = subprocess.run(["readelf", "-d", LIBRARY], capture_output=True, text=True, check=True).stdout
        needed = [line.split("[")[1].rstrip("]") for line in text.splitlines() if "(NEEDED)" in line]
        self.assertEqual([name for name in needed if not name.startswith(("libc.so", "ld-linux"))], [])

    def test_a_program_without_openssl_has_a_row_that_says_so(self):
        with Probed() as probed:
            probed.run("/bin/sh", "-c", "exit 0")
            row, = probed.processes()
            self.assertEqual((row.name, row.mode, row.flags), (b"sh", 0, NO_OPENSSL))


if __name__ == "__main__":
    unittest.main()
