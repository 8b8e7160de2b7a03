# SPDX-License-Identifier: Apache-2.0
"""What libsoakprobe.so makes of OpenSSL: its objects, a program's own memory functions, several libraries."""

import os
import subprocess
import unittest

from probed import (BIN, CHAINED, HOOKS, INTERPOSED, LATE, LIBRARY, MALLOC_LIBRARY, PATIENCE, PYTHON, TWO_LIBCRYPTOS,
                    Case, Probed, jemalloc)

CHAIN_CASE = BIN + "/chain-case"
FOLDER = os.environ["PRELOAD_FOLDER"]
PLANTS = "soak/self-check"


class ObjectsTest(unittest.TestCase):
    def test_objects_count_where_they_were_made(self):
        with Case() as case:
            case.begin("objects")
            parent = case.child.pid
            self.assertEqual((case.objects("SSL_CTX"), case.objects("SSL")), (1, 1))
            case.step()
            child = int(case.said[0])
            self.assertEqual((case.objects("SSL", parent), case.objects("SSL", child)), (1, 1))
            self.assertEqual((case.page.app.opened, case.page.app.closed), (2, 0))
            case.step()
            self.assertEqual((case.objects("SSL", child), case.objects("SSL_CTX", child)), (0, 0))
            self.assertEqual((case.page.app.opened, case.page.app.closed), (2, 1))
            case.step()
            self.assertEqual((case.objects("SSL", parent), case.objects("SSL_CTX", parent)), (0, 0))
            self.assertEqual((case.page.app.opened, case.page.app.closed), (2, 2))
            case.end()

    def test_the_self_check_is_planted_once_by_several_processes(self):
        with Case() as case:
            check = case.page.check
            check.every, check.until, check.lost_at, check.lost_bytes, check.one_time_at = 5, 10000, 51, 77, 120
            case.begin("connections")
            case.step()
            self.assertEqual(len(case.processes()), 2)
            self.assertEqual(case.page.app.opened, 2 * sum(1 + i % 3 for i in range(100)))
            self.assertEqual(case.live(PLANTS, 1), (1, 77))
            self.assertEqual(case.live(PLANTS, 2), (1, 72))
            self.assertEqual(case.live(PLANTS, 3), (8, 8 * 40))
            self.assertEqual(case.live(PLANTS, 4), (2, 2 * 56))
            planted = check.allocs - check.frees
            self.assertEqual(planted, 1 + 1 + 8 + 2)
            case.end()

    def test_the_self_check_goes_by_operations_that_only_the_orchestrator_counts(self):
        with Case() as case:
            check = case.page.check
            check.every, check.until, check.lost_at, check.lost_bytes, check.one_time_at = 5, 300, 151, 77, 250
            check.by_operation, case.page.epoch = 1, 1 << 34
            case.begin("operations")
            case.page.app.operations = 100
            case.step()
            self.assertEqual(case.live(PLANTS, 3), (8, 8 * 40))
            self.assertEqual(case.live(PLANTS, 4), (2, 2 * 56))
            self.assertEqual((check.turned, check.lost_epoch), (100, 0))
            case.page.app.operations = 1000
            case.step()
            self.assertEqual((check.turned, check.lost_epoch), (1000, 1))
            planted = check.allocs
            self.assertEqual([case.live(PLANTS, line) for line in (1, 2, 3, 4)], [(1, 77), (1, 72), (8, 320), (2, 112)])
            case.step()
            self.assertEqual(check.allocs, planted)
            self.assertEqual(case.live("case.c", 1), (0, 0))
            case.end()

    def test_jemallocs_figures_are_published_as_connections_end(self):
        preload = jemalloc()
        if not preload:
            self.skipTest("libjemalloc.so.2 isn't installed (package libjemalloc2)")
        with Case() as case:
            environment = case.environment()
            environment["LD_PRELOAD"] += " " + preload
            case.begin("published", env=environment)
            heap = case.processes()[0].heap
            self.assertGreater(heap.publishes, 0)
            case.page.publish_asked = 1
            before = heap.publishes
            case.step()
            self.assertGreater(heap.publishes, before)
            self.assertEqual((heap.present, case.page.publish_asked), (1, 0))
            self.assertGreater(heap.allocated, 100000)
            self.assertGreater(sum(heap.class_regions), 100)
            allocated = heap.allocated
            case.page.publish_asked = 1  # one that isn't asked for is put off when the last was slow
            case.step()  # 1 MiB more, before a connection
            self.assertGreaterEqual(heap.allocated - allocated, 1 << 20)
            case.end()

    def test_what_is_asked_for_while_a_thread_publishes_is_published_after_that(self):
        with Case() as case:
            case.child = case.start(BIN + "/publish-case")
            case.wait()
            heap = case.processes()[0].heap
            published, case.page.publish_asked = heap.publishes, 1
            case.step()
            self.assertEqual((heap.publishes - published, case.page.publish_asked), (2, 0))
            case.end()


class ChainTest(unittest.TestCase):
    """A program's own memory functions run behind the hooks."""

    def test_functions_that_are_set_later(self):
        with Case() as case:
            case.begin("chained")
            row, = case.processes()
            self.assertEqual((row.mode, row.flags), (HOOKS, CHAINED))
            self.assertEqual(case.live("case.c", 1), (0, 0))
            self.assertEqual(case.live("case.c", 2), (1, 5000))
            live = int(case.said[0])
            case.step()
            self.assertEqual(live - int(case.said[0]), 1)
            self.assertEqual(case.live("case.c", 2), (0, 0))
            case.step()
            self.assertEqual(int(case.said[0]), 0)
            self.assertEqual(case.blocks(), 0)
            case.end()

    def test_what_they_ask_malloc_for_is_counted_once(self):
        with Case(MALLOC_LIBRARY) as case:
            case.begin("chained")
            self.assertEqual(case.live("case.c", 2), (1, 5000))
            self.assertLess(case.live("malloc", 0)[0], 10)  # of thousands
            case.step()
            case.step()
            case.end()

    def test_openssl_makes_of_them_what_it_makes_without_the_probe(self):
        def said(*command):
            return subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
        names = said(CHAIN_CASE).split()
        self.assertGreaterEqual(len(names), 12)
        for name in names:
            plain = said(CHAIN_CASE, name)
            self.assertIn("set: ", plain)
            for preload in (LIBRARY, MALLOC_LIBRARY):
                with self.subTest(name, preload=preload), Probed(preload) as case:
                    self.assertEqual(case.run(CHAIN_CASE, name), plain)
                    places = [(site.file.decode(), site.line) for site in case.page.site
                              if site.file.endswith(b"chain_case.c")]
                    self.assertTrue(places)
                    self.assertEqual({case.live(*place) for place in places}, {(0, 0)})

    def early(self, case, library, words):
        """In a library's constructor that sees libcrypto before the probe does."""
        program = f"""
import ctypes, os, sys
early = ctypes.CDLL("{FOLDER}/{library}", os.RTLD_NOW | os.RTLD_DEEPBIND)
early.early_make.restype = ctypes.c_void_p
early.early_drop.argtypes = [ctypes.c_void_p]
{words}
"""
        return case.run(PYTHON, "-c", program)

    def test_functions_that_were_set_before(self):
        with Probed() as case:
            self.early(case, "libearly-setter.so", """
before = early.early_live()
block = early.early_make(1)
assert early.early_live() == before + 1
early.early_make(2)
early.early_drop(block)
assert early.early_live() == before + 1
os._exit(0)
""")
            row, = case.processes()
            self.assertEqual((row.mode, row.flags), (HOOKS, CHAINED))
            self.assertEqual(case.live("early.c", 1), (0, 0))
            self.assertEqual(case.live("early.c", 2), (1, 100))

    def test_an_openssl_that_has_allocated_takes_no_hooks(self):
        with Probed() as case:
            self.early(case, "libearly-user.so", "early.early_drop(early.early_make(1))")
            row, = case.processes()
            self.assertNotEqual(row.mode, HOOKS)
            self.assertTrue(row.flags & LATE)


class ConstructorTest(unittest.TestCase):
    """A library's constructor makes the first call of OpenSSL, which initialises itself there."""

    def assert_counts(self, before=(), load="ctypes.CDLL(library)"):
        program = f"""
import ctypes, os
library = "{FOLDER}/libearly-asker.so"
early = {load}
assert early.early_live() >= 0, "no index"
objects = [early.early_object() for _ in range(3)]
assert all(objects)
os._exit(0)
"""
        for preload in (LIBRARY, MALLOC_LIBRARY):
            with self.subTest(preload), Probed(preload) as case:
                environment = case.environment()
                environment["LD_PRELOAD"] += "".join(f" {FOLDER}/{name}" for name in before)
                case.run(PYTHON, "-c", program, env=environment)
                row, = case.processes()
                self.assertEqual(row.mode, HOOKS)
                self.assertEqual(case.objects("BIO"), 3)

    def test_an_index_may_be_asked_for_in_a_library_that_is_opened(self):
        self.assert_counts()

    def test_an_index_may_be_asked_for_before_the_program_starts(self):
        self.assert_counts(["libearly-asker.so"], "ctypes.CDLL(None)")

    def test_openssl_may_come_upon_a_dlsym_while_it_initialises_itself(self):
        self.assert_counts(["liblazy-lock.so"])
        self.assert_counts(["liblazy-lock.so", "libearly-asker.so"], "ctypes.CDLL(None)")


class LibrariesTest(unittest.TestCase):
    def test_of_two_libcryptos_each_caller_has_its_own(self):
        program = f"""
import ctypes
users = [ctypes.CDLL(f"{FOLDER}/libfake-{{kind}}-{{i}}.so") for i in (1, 2) for kind in ("user", "outer")]
for _ in range(3):
    for i, user in enumerate(users):
        function = getattr(user, "fake_outer" if i % 2 else "fake_user")
        assert function() == 1 + i // 2, (i, function())
import os
os._exit(0)
"""
        with Probed() as case:
            case.run(PYTHON, "-c", program)
            row, = case.processes()
            self.assertTrue(row.flags & TWO_LIBCRYPTOS)
            self.assertTrue(row.libcrypto.decode().endswith("libfake-crypto-1.so"))
            case.run(PYTHON, "-c", program, env=case.environment() | {"SOAK_PROBE": ""})

    def test_a_constructor_calls_the_library_that_it_was_linked_with(self):
        """Though there was one libcrypto only when somebody last asked."""
        program = f"""
import ctypes, os
first = ctypes.CDLL("{FOLDER}/libfake-user-1.so")
assert first.fake_user() == 1
second = ctypes.CDLL("{FOLDER}/libfake-early-2.so")
assert second.early_said() == 2, second.early_said()
assert (first.fake_user(), second.fake_user()) == (1, 2)
os._exit(0)
"""
        with Probed() as case:
            case.run(PYTHON, "-c", program)
            row, = case.processes()
            self.assertTrue(row.flags & TWO_LIBCRYPTOS)

    RELOADING = """
import _ctypes, ctypes, mmap, os
page, places = mmap.PAGESIZE, set()
flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x100000  # MAP_FIXED_NOREPLACE
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
def unload(function, *libraries):  # that with the function won't lie there again
    place = ctypes.cast(function, ctypes.c_void_p).value // page * page
    assert place not in places
    places.add(place)
    for library in libraries:
        _ctypes.dlclose(library._handle)
    libc.mmap(place, page, mmap.PROT_READ, flags, -1, 0)
"""

    def test_a_call_reaches_a_library_that_was_loaded_again_elsewhere(self):
        program = f"""
for _ in range(3):
    user = ctypes.CDLL("{FOLDER}/libKIND.so")
    crypto = ctypes.CDLL("{FOLDER}/libfake-crypto-1.so")
    assert user.fake_user() == 1
    unload(crypto.OPENSSL_init_crypto, user, crypto)
os._exit(0)
"""
        for kind in ("fake-user-1", "fake-early-1"):
            with self.subTest(kind), Probed() as case:
                case.run(PYTHON, "-c", self.RELOADING + program.replace("KIND", kind))
                row, = case.processes()
                self.assertEqual((row.mode, row.flags), (HOOKS, 0))

    def test_one_that_takes_no_hooks_is_counted_again_where_it_was_loaded_again(self):
        program = f"""
for _ in range(3):
    late = ctypes.CDLL("{FOLDER}/liblate-crypto.so")
    late.late_make.restype = ctypes.c_void_p
    assert late.late_make(100)
    unload(late.late_make, late)
os._exit(0)
"""
        with Probed() as case:
            case.run(PYTHON, "-c", self.RELOADING + program)
            row, = case.processes()
            self.assertEqual((row.mode, row.flags), (INTERPOSED, LATE))
            self.assertEqual(case.live("late.c", 2), (3, 300))

    def test_another_thread_may_unload_a_library_while_a_call_is_sent_on(self):
        with Probed() as case:
            case.run(BIN + "/unload-case", f"{FOLDER}/libfake-outer-1.so", "1", f"{FOLDER}/libfake-user-2.so", "3000")

    def test_a_library_that_is_loaded_again_is_hooked_again(self):
        program = f"""
import _ctypes, ctypes, os
for line in range(1, 4):
    fake = ctypes.CDLL("{FOLDER}/libfake-crypto-1.so")
    fake.fake_make.restype = ctypes.c_void_p
    assert fake.fake_make(line)
    _ctypes.dlclose(fake._handle)
os._exit(0)
"""
        with Probed() as case:
            case.run(PYTHON, "-c", program)
            self.assertEqual([case.live("fake.c", line) for line in (1, 2, 3)], [(1, 50)] * 3)
            row, = case.processes()
            self.assertEqual((row.mode, row.flags), (HOOKS, 0))

    def test_dlsym_knows_its_real_caller(self):
        """RTLD_NEXT means: after the library that asks."""
        with Probed() as case:
            environment = case.environment()
            environment["LD_PRELOAD"] += f" {FOLDER}/libnext-first.so {FOLDER}/libnext-last.so"
            said = case.run(PYTHON, "-c", "import ctypes; print(ctypes.CDLL(None).soak_case_next())", env=environment)
            self.assertEqual(said, "11\n")

    def test_a_library_before_it_that_wraps_accept_calls_on_to_libc(self):
        """Not back to the one that is before it, and so on without end."""
        program = """
import ctypes, socket
server = socket.create_server(("127.0.0.1", 0))
peers = [socket.create_connection(server.getsockname()) for _ in range(2)]
server.accept()
print(ctypes.CDLL(None).accept(server.fileno(), None, None) > 0)
"""
        with Probed() as case:
            environment = case.environment()
            environment["LD_PRELOAD"] = f"{BIN}/libsoak-planter.so " + environment["LD_PRELOAD"]
            self.assertEqual(case.run(PYTHON, "-c", program, env=environment), "True\n")


if __name__ == "__main__":
    unittest.main()
