# SPDX-License-Identifier: Apache-2.0
"""Processes on one page: forked, vforked, become others, confined, ended."""

import ctypes
import mmap
import os
import resource
import subprocess
import time
import unittest

from probed import APART, CASE, COVERED, ENDED, HOOKS, PROCESSES, SHARES, THREADS, Case
from probe_page import EPOCH_BYTES, Page, Thread


class ProcessesTest(unittest.TestCase):
    def test_a_forked_child_counts_its_own_blocks_alone(self):
        with Case() as case:
            case.begin("forks")
            parent = case.child.pid
            before = case.blocks(parent)
            case.step()
            child = int(case.said[0])
            self.assertEqual([(row.pid, row.parent, row.mode) for row in case.processes()],
                             [(parent, os.getpid(), HOOKS), (child, parent, HOOKS)])
            self.assertEqual(case.live("case.c", 1, pid=parent), (3, 120))
            self.assertEqual(case.live("case.c", 1, pid=child), (0, 0))
            self.assertEqual(case.live("case.c", 2, pid=child), (1, 20))
            self.assertEqual(case.live("case.c", 3, pid=child), (1, 60))
            case.step()
            self.assertEqual(case.blocks(child), 0)
            self.assertEqual(case.blocks(parent), before)
            case.step()
            self.assertEqual(case.live("case.c", 1, pid=parent), (2, 80))
            case.step()
            self.assertEqual(case.live("case.c", 1, pid=parent), (0, 0))
            case.end()

    def test_a_forked_child_whose_thread_ends_leaves_its_parents_slot_alone(self):
        with Case() as case:
            case.begin("ending-child")
            self.assertEqual(len(case.slots(case.child.pid, busy=1)), 2)
            case.end()

    def test_memory_that_processes_share_counts_for_all_of_them(self):
        with Case() as case:
            case.begin("shared")
            self.assertEqual(case.page.memory_shared, 1)
            self.assertEqual(case.live("case.c", 1), (0, 0))
            self.assertEqual(case.live("case.c", 2), (1, 50))  # its process has ended
            self.assertEqual(case.live("case.c", 3), (1, 60))
            case.step()
            self.assertEqual(case.live("case.c", 2), (0, 0))
            self.assertEqual(case.live("case.c", 3), (0, 0))
            case.end()

    def test_a_row_says_since_when_its_process_has_it(self):
        with Case() as case:
            case.begin("forks")
            case.step()
            ticks = os.sysconf("SC_CLK_TCK")
            for row in case.processes():
                with open(f"/proc/{row.pid}/stat", encoding="utf-8") as stat:
                    started = int(stat.read().rsplit(")", 1)[1].split()[19])
                self.assertLessEqual(started * 10**9 // ticks, row.entered_ns)
                self.assertLess(row.entered_ns, time.clock_gettime_ns(time.CLOCK_BOOTTIME))
                slots = [s for s in case.page.slot if s.owner >> 1 == row.pid]
                self.assertTrue(all(s.claimed_ns >= row.entered_ns for s in slots), slots)
            for _ in range(3):
                case.step()
            case.end()

    def test_a_process_in_a_namespace_of_its_own_says_so(self):
        with Case() as case:
            if subprocess.run(["unshare", "--pid", "--fork", "true"], capture_output=True).returncode:
                self.skipTest("SKIP: unshare(1) may not make a PID namespace here")
            shell = ["sh", "-c", '"$0" sites; exit $?', CASE]  # which is the namespace's first process
            for command, apart in ((["--pid", "--fork", *shell], 1), (["--uts", CASE, "sites"], 0)):
                case.child = case.start("unshare", *command)
                case.wait()
                before = case.page.processes_apart
                named = [row for row in case.processes()
                         if row.name == b"preload-case" and not row.flags & ENDED]
                self.assertEqual([row.flags & APART for row in named], [APART * apart], command)
                for _ in range(2):
                    case.step()
                case.end()
                self.assertEqual((case.page.processes_apart, before > 0), (before, True))

    def test_what_an_image_held_goes_with_it_at_exec(self):
        with Case() as case:
            case.begin("execs", "2")
            for _ in range(2):
                self.assertEqual(case.live("case.c", 1), (1, 30))
                self.assertEqual(len(case.processes()), 1)
                case.step()
            self.assertEqual(case.live("case.c", 1), (1, 30))
            self.assertGreater(case.page.gone_allocs, 0)
            case.end()

    def test_a_child_that_ends_looks_at_no_epoch_from_before_it_came(self):
        with Case() as case:
            case.page.epoch = 40
            case.begin("children")
            case.step()
            cells = Page.thread.offset + ctypes.sizeof(Thread) + Thread.cell.offset  # of the second slot
            touched = os.lseek(case.fd, cells + EPOCH_BYTES, os.SEEK_DATA)
            self.assertGreater(touched, cells + 40 * EPOCH_BYTES - mmap.PAGESIZE)
            self.assertEqual(case.live("case.c", 2, epoch=40), (0, 0))
            case.end()

    def test_children_that_end_make_room_themselves(self):
        with Case() as case:
            case.begin("children")
            allocs = case.total("allocs")
            case.step()
            self.assertEqual(case.live("case.c", 1), (0, 0))
            self.assertEqual(case.live("case.c", 2), (0, 0))  # their memory went with them
            self.assertEqual(case.total("allocs") - allocs, 2 * 768)
            self.assertEqual((case.page.processes_lost, case.page.threads_shared), (0, 0))
            self.assertEqual(case.processes()[1].flags & ENDED, ENDED)
            case.end()

    def test_processes_beyond_the_table_are_counted_together_and_reported(self):
        with Case() as case:
            case.begin("crowd")
            case.step()
            self.assertEqual(case.live("case.c", 1), (270, 270 * 30))
            self.assertEqual(case.page.processes_lost, 270 - (PROCESSES - 1))
            self.assertEqual(case.page.threads_shared, 270 - (THREADS - 2))
            sharing = [row for row in case.processes() if row.flags & SHARES]
            self.assertGreater(len(sharing), 0)
            case.step()
            self.assertEqual(case.live("case.c", 1), (0, 0))
            self.assertEqual(case.page.processes_lost, 270 - (PROCESSES - 1) + len(sharing))
            case.end()

    def test_processes_that_name_sites_at_once_share_them(self):
        with Case() as case:
            case.begin("names")
            self.assertEqual(case.said, ["8"])
            self.assertEqual([case.live("case.c", 1 + i) for i in range(300)], [(8, 160)] * 300)
            lines = [s.line for s in case.page.site[:case.page.sites] if s.file == b"case.c"]
            self.assertEqual(len(lines), 300)
            case.end()

    def test_a_vforked_child_is_its_parent(self):
        with Case() as case:
            case.begin("vforks")
            self.assertEqual([row.pid for row in case.processes()][:1], [case.child.pid])
            self.assertEqual(case.live("case.c", 1), (0, 0))
            self.assertEqual(case.live("case.c", 2, pid=case.child.pid), (1, 40))
            case.end()

    def test_a_daemon_that_closes_all_and_becomes_another_program_finds_the_page(self):
        with Case() as case:
            case.begin("closes")
            self.assertEqual(case.live("case.c", 1), (3, 300))
            case.page.epoch = 1
            case.step()
            case.step()
            case.end()


class ConfinedTest(unittest.TestCase):
    @unittest.skipIf(COVERED, "SKIP: a build for coverage writes its counts at the end")
    def test_what_a_program_gives_up_the_count_does_without(self):
        with Case() as case:
            case.begin("confined")
            if case.said != ["0"]:
                print("not privileged: the case gave up less")
            case.step()
            child = int(case.said[0])
            self.assertEqual({row.pid: row.mode for row in case.processes()},
                             {case.child.pid: HOOKS, child: HOOKS})
            self.assertEqual(case.live("case.c", 2, pid=child), (1, 30))
            case.step()
            self.assertEqual(case.live("case.c", 1), (0, 0))
            self.assertEqual(case.live("case.c", 3, pid=case.child.pid), (1, 30))
            case.end()

    def test_a_program_that_locks_its_memory_does_not_fill_the_tables(self):
        with Case() as case:
            case.begin("locked")
            if case.said != ["0"]:
                self.skipTest("SKIP: mlockall() isn't allowed here (RLIMIT_MEMLOCK)")
            with open(f"/proc/{case.child.pid}/status", encoding="utf-8") as status:
                size = {line.split(":")[0]: line.split()[1] for line in status if line.startswith("Vm")}
            self.assertGreater(int(size["VmLck"]), 0)
            self.assertLess(int(size["VmRSS"]), 100 << 10)
            self.assertEqual(case.live("case.c", 2), (1, 50))
            case.step()
            self.assertEqual(case.live("case.c", 2), (0, 0))
            case.end()

    @unittest.skipIf(COVERED, "SKIP: a build for coverage writes its counts at the end")
    def test_the_hooks_make_no_system_calls_of_their_own(self):
        with Case() as case:
            case.begin("sandboxed")
            blocks = case.blocks()
            case.step()
            self.assertEqual(case.blocks(), blocks + 200)
            case.step()
            self.assertEqual(case.blocks(), blocks)
            case.end()

    def test_where_a_limit_leaves_too_little_the_program_runs_as_without_the_probe(self):
        def limit():
            resource.setrlimit(limit.of, (limit.bytes, limit.bytes))
        page = ctypes.sizeof(Page)
        for limit.of, limit.bytes in ((resource.RLIMIT_AS, page - (30 << 20)),  # no room for the page
                                      (resource.RLIMIT_AS, page + (30 << 20)),  # for no table
                                      (resource.RLIMIT_AS, page + (200 << 20)),  # for half a table
                                      (resource.RLIMIT_AS, page + (400 << 20)),
                                      (resource.RLIMIT_DATA, 300 << 20),  # for a table and nothing else
                                      (resource.RLIMIT_DATA, 600 << 20)):
            with self.subTest(of=limit.of, bytes=limit.bytes), Case() as case:
                child = case.start(CASE, "fills", str(limit.bytes * 9 // 10), preexec_fn=limit)
                said, _ = child.communicate("go\n")
                self.assertEqual((child.returncode, said), (0, "step 0\n"))
                self.assertEqual((case.processes(), case.page.mode), ([], 0))

    def test_with_room_enough_it_is_counted_and_has_the_rest(self):
        def limit():
            resource.setrlimit(limit.of, (limit.bytes, limit.bytes))
        for limit.of, limit.bytes in ((resource.RLIMIT_AS, 2 << 30), (resource.RLIMIT_DATA, 1 << 30)):
            with self.subTest(of=limit.of), Case() as case:
                case.begin("fills", str(600 << 20), preexec_fn=limit)
                self.assertEqual(case.live("case.c", 1), (1, 40))
                case.end()


if __name__ == "__main__":
    unittest.main()
