# SPDX-License-Identifier: Apache-2.0
"""soak-server without a descriptor left: at every N-th accept (--emfile), and for real. libuv says less of it from 1.45
on, so all of it is tried on the machine's libuv, on one that does as the newer ones, and on a newer one itself."""

import json
import os
import re
import socket
import subprocess
import unittest

import soak_run
from patience import until
from server_driver import BIN, PATIENCE, Server
from test_server_log import Logged

FEW = 64  # descriptors
SILENT_SINCE = (1, 45)


class Emfile(Logged):
    PRELOAD = None

    def server(self, *options, **others):
        return Server("--log", self.path, *options, preload=self.PRELOAD, **others)

    def test_a_shortage_of_files_costs_one_connection_each(self):
        with self.server("--emfile", "5") as server:
            server.visits(3)
            files = server.open_files()
            went = ""
            for _ in range(15):
                try:
                    server.visit()
                    went += "."
                except OSError:
                    went += "x"
                    server.connected -= 1
            server.all_closed()
            self.assertEqual(went, ".x....x....x...")
            self.assertEqual(server.page.app.expected_aborts, 3)
            self.assertEqual(server.open_files(), files)
            self.assertIn("too many open files, as --emfile wants", server.expect("problem"))
            self.assertEqual([int(c["conn"]) for c in self.log(server)], list(range(1, 16)))
            server.settle()

    @staticmethod
    def limit(server):
        with open(f"/proc/{server.process.pid}/limits") as limits:
            line = next(line for line in limits if line.startswith("Max open files"))
        return int(line.split()[3])

    def until_short(self, server):
        until(lambda: self.limit(server) == 0, "it is short of files")

    def test_the_limit_is_lowered_for_real_and_restored(self):
        with self.server("--emfile", "2") as server:
            before = self.limit(server)
            server.visit()
            self.until_short(server)
            server.settle()
            self.assertEqual(self.limit(server), before, "a checkpoint has its files")
            server.visit()
            self.until_short(server)
            with self.assertRaises(OSError):
                server.visit()
            self.assertEqual(self.limit(server), before)

    def test_a_shortage_of_files_costs_no_stranger_the_place_of_the_load(self):
        def come(host):
            return socket.create_connection(("127.0.0.1", server.port), PATIENCE, (host, 0))

        with self.server("--emfile", "2", "--client-net", "127.9.8.0") as server:
            app = server.page.app
            with server.context.wrap_socket(come("127.9.8.1")) as first:
                server.echo(first)
            self.until_short(server)
            for count in (1, 2):
                with come("127.0.0.1") as stranger:
                    self.assertEqual(stranger.recv(1), b"")
                self.assertEqual((app.foreign, app.expected_aborts), (count, 0))
                self.until_short(server)
            with come("127.9.8.2") as ours:
                self.assertEqual(ours.recv(1), b"")
            self.assertEqual((app.foreign, app.expected_aborts, app.opened), (2, 1, 1))

    def test_the_last_descriptor_is_told_of(self):
        with self.server(files=FEW) as server:
            held = [socket.create_connection(("127.0.0.1", server.port), PATIENCE) for _ in range(FEW)]
            self.assertIn("too many open files: raise `ulimit -n`", server.expect("problem"))
            for connection in held:
                connection.close()

    def test_one_without_a_descriptor_left_answers_and_serves_again(self):
        with self.server(files=FEW) as server:
            held = [socket.create_connection(("127.0.0.1", server.port), PATIENCE) for _ in range(FEW)]
            server.expect("problem")
            held += [socket.create_connection(("127.0.0.1", server.port), PATIENCE) for _ in range(3)]
            server.settle()
            for connection in held:
                connection.close()
            until(lambda: server.open_files() < FEW // 2, "it has descriptors again")
            server.visit()


@unittest.skipUnless(soak_run.HAS_JEMALLOC, "nothing is preloaded into a build with sanitizers")
class EmfileWhereLibuvSaysNothing(Emfile):
    PRELOAD = os.path.join(BIN, "libnewer-libuv.so")


def version(text):
    return tuple(int(number) for number in re.findall(r"\d+", text)[:2])


def libuv_of_the_server():
    said = subprocess.run([BIN + "/soak-server", "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"libuv ([\d.]+)", said).group(1)


def newer_libuv():
    """Options for a run on a libuv of which the server isn't told of the shortage: none are needed where it is the
    machine's, and None when there is none."""
    if version(libuv_of_the_server()) >= SILENT_SINCE:
        return ()
    listed = subprocess.run([soak_run.SOAK, "libs", "--json"], capture_output=True, text=True, check=True).stdout
    found = [lib["name"] for lib in json.loads(listed)["libs"]
             if lib["part"] == "libuv" and version(lib["version"]) >= SILENT_SINCE]
    return ("--libuv", found[0]) if found else None


class NewerLibuv(soak_run.SoakTest):
    def test_a_run_on_it_passes_with_every_nth_connection_closed(self):
        options = newer_libuv()
        if options is None:
            self.skipTest(f"libuv is {libuv_of_the_server()}; ./soak libs add debian:trixie/libuv has a newer one")
        run = self.soak("--conns", "10", "--churn", "max", "--closed", "1500", "--emfile", "50", "--mix", "clean",
                        *options)
        self.assertIn(run.result["verdict"], ("PASS", "INCONCLUSIVE"), run.explain())
        self.assertGreater(run.result["run"]["errors"]["total"], 1, run.explain())


if __name__ == "__main__":
    unittest.main()
