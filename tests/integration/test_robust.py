"""What goes wrong around a run: crashes, hangs, signals, limits. Nothing measured is lost, nothing is
called PASS, no child is left behind."""

import os
import signal
import socket
import stat
import subprocess
import time
import unittest

import soak_run

BUSY = ("--conns", "20", "--churn", "300/s", "--seed", "7f3a")
# How long a condition may take to become true on a slow machine before it counts as never.
WAIT_S = 120


def children_of(pid):
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8") as f:
                text = f.read()
        except OSError:
            continue
        name = text[text.index("(") + 1:text.rindex(")")]
        fields = text[text.rindex(")") + 2:].split()
        if int(fields[1]) == pid and fields[0] != "Z":
            found[name] = int(entry)
    return found


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            text = f.read()
    except OSError:
        return True
    return text[text.rindex(")") + 2] == "Z"


def wait_until(condition, what):
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"never happened: {what}")


class Live(soak_run.SoakTest):
    """A run that goes on while the test does something to it."""

    def start(self, *options):
        process = subprocess.Popen(self.command(*options), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.stop, process)
        return process

    @staticmethod
    def stop(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def samples(self, kind):
        folder = self.last()
        path = os.path.join(folder, "samples.jsonl") if folder else ""
        if not os.path.exists(path):
            return 0
        with open(path, encoding="utf-8") as f:
            return sum(f'"kind":"{kind}"' in line for line in f)

    def wait_checkpoints(self, count):
        wait_until(lambda: self.samples("checkpoint") >= count, f"{count} checkpoints")

    def finish(self, process):
        process.out, process.err = process.communicate(timeout=soak_run.PATIENCE_S)
        completed = subprocess.CompletedProcess(process.args, process.returncode, process.out,
                                                process.err)
        return soak_run.Run(completed, self.last())

    def child(self, process, name):
        return wait_until(lambda: children_of(process.pid).get(name), name)


class Crashes(Live):
    def test_killed_server_is_a_broken_run_with_a_sentence_and_a_result(self):
        process = self.start(*BUSY)
        self.wait_checkpoints(4)
        os.kill(self.child(process, "soak-server"), signal.SIGKILL)
        run = self.finish(process)
        self.assertEqual(run.exit, 4, run.explain())
        said = " ".join((run.out + run.err).split())
        self.assertRegex(said, r"server exited with signal 9 \(SIGKILL\) after [\d,]+ connections")
        self.assertEqual(run.result["exit"], 4)
        self.assertGreaterEqual(len(run.checkpoints()), 4)
        self.assertNotEqual(run.result["verdict"], "PASS")
        self.assert_nothing_is_called_judged(run)

    def assert_nothing_is_called_judged(self, run):
        """What grew until then is told; no row of a run that broke is called level."""
        self.assertRegex(run.result["headline"], r"; until then OpenSSL blocks [\d,]+ → [\d,]+$")
        self.assertIn("not judged", run.out)
        for subject in run.result["subjects"]:
            states = {m["id"]: m["state"] for m in subject["metrics"]}
            self.assertIn("openssl_blocks", states)
            self.assertEqual(set(states.values()), {"not-judged"}, states)

    def test_killed_client_is_a_broken_run(self):
        process = self.start(*BUSY)
        self.wait_checkpoints(2)
        os.kill(self.child(process, "soak-client"), signal.SIGKILL)
        run = self.finish(process)
        self.assertEqual(run.exit, 4, run.explain())
        self.assertIn("client exited with signal 9", run.out + run.err)

    def test_hanging_server_is_ended_by_the_watchdog(self):
        process = self.start(*BUSY, "--watchdog", "3s")
        self.wait_checkpoints(2)
        server = self.child(process, "soak-server")
        os.kill(server, signal.SIGSTOP)
        run = self.finish(process)
        self.assertEqual(run.exit, 4, run.explain())
        self.assertIn("nothing moved for", run.out + run.err)
        self.assertTrue(gone(server))

    def test_children_never_outlive_a_soak_killed_by_sigkill(self):
        process = self.start(*BUSY)
        self.wait_checkpoints(2)
        pids = [self.child(process, "soak-server"), self.child(process, "soak-client")]
        process.kill()
        process.wait()
        for pid in pids:
            wait_until(lambda p=pid: gone(p), f"process {pid} to end")


class Signals(Live):
    def test_first_sigint_judges_what_there_is(self):
        process = self.start(*BUSY)
        self.wait_checkpoints(6)
        process.send_signal(signal.SIGINT)
        run = self.finish(process)
        self.assertEqual(run.exit, 130, run.explain())
        self.assertTrue(run.result["interrupted"])
        self.assertIn(run.result["verdict"], ("PASS", "INCONCLUSIVE"))
        self.assertTrue(any(s["kind"] == "drained" for s in run.samples))

    def test_second_sigint_stops_at_once_and_keeps_the_files(self):
        process = self.start(*BUSY, "--churn", "50/s")
        self.wait_checkpoints(1)
        server = self.child(process, "soak-server")
        os.kill(server, signal.SIGSTOP)  # so that the epoch can't end by itself
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        run = self.finish(process)
        self.assertEqual(run.exit, 130, run.explain())
        self.assertIsNotNone(run.result)
        self.assertTrue(gone(server))

    def test_sigterm_stops_at_once_and_keeps_the_files(self):
        process = self.start(*BUSY)
        self.wait_checkpoints(2)
        process.terminate()
        run = self.finish(process)
        self.assertEqual(run.exit, 130, run.explain())
        self.assertIsNotNone(run.result)
        self.assertGreaterEqual(len(run.checkpoints()), 2)


class Limits(Live):
    def test_port_in_use_is_one_sentence(self):
        with socket.create_server(("127.0.0.1", 0)) as holder:
            port = holder.getsockname()[1]
            run = self.soak(*BUSY, "--listen", f"127.0.0.1:{port}")
        self.assertEqual(run.exit, 4, run.explain())
        self.assertIn(f"port {port} on 127.0.0.1 is in use", run.out + run.err)

    def test_unwritable_results_folder_is_refused_before_anything_starts(self):
        path = os.path.join(self.results, "file")
        with open(path, "w", encoding="utf-8"):
            pass
        process = subprocess.run([soak_run.SOAK, *BUSY, "--results", os.path.join(path, "runs")],
                                 capture_output=True, text=True, check=False,
                                 timeout=soak_run.PATIENCE_S)
        self.assertEqual(process.returncode, 2, process.stderr)
        self.assertIn(path, process.stderr)

    def test_full_disk_keeps_the_verdict_on_stdout_and_is_no_pass(self):
        # A tiny file system of the run's own, in a mount namespace that ends with it.
        disk = os.path.join(self.results, "disk")
        os.mkdir(disk)
        enter = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user",
                                                                  "--mount"]
        if subprocess.run([*enter, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no mount namespace can be made here")
        command = " ".join([soak_run.SOAK, *BUSY, "--churn", "max", "--closed", "3000",
                            "--results", disk])
        script = f"mount -t tmpfs -o size=24k none {disk} && exec {command}"
        process = subprocess.run([*enter, "sh", "-c", script], capture_output=True, text=True,
                                 check=False, timeout=soak_run.PATIENCE_S)
        self.assertEqual(process.returncode, 4, process.stdout + process.stderr)
        self.assertIn("PASS", process.stdout)
        self.assertRegex(process.stderr, r"samples\.jsonl|result\.json")

    def test_low_descriptor_limit_is_one_sentence(self):
        command = " ".join(self.command("--conns", "1000", "--churn", "100/s"))
        process = subprocess.run(["bash", "-c", f"ulimit -n 512; exec {command}"],
                                 capture_output=True, text=True, check=False,
                                 timeout=soak_run.PATIENCE_S)
        self.assertEqual(process.returncode, 2, process.stderr)
        self.assertIn("ulimit", process.stderr)
        self.assertEqual(len(process.stderr.strip().splitlines()), 1)

    def test_failing_handshakes_are_never_a_pass(self):
        run = self.soak(*BUSY, "--handshake-timeout", "1ms", "--watchdog", "5s", "--closed",
                        "2000", "--conns", "200", "--churn", "max")
        self.assertIn(run.exit, (3, 4), run.explain())
        self.assertNotEqual(run.result["verdict"], "PASS")

    def test_run_folder_is_private(self):
        run = self.soak(*BUSY, "--churn", "max", "--closed", "1500")
        self.assertEqual(stat.S_IMODE(os.stat(run.folder).st_mode), 0o700)
        for name in ("manifest.json", "samples.jsonl", "result.json", "server.log", "client.log"):
            mode = stat.S_IMODE(os.stat(os.path.join(run.folder, name)).st_mode)
            self.assertEqual(mode & 0o077, 0, name)


class Drain(Live):
    def test_on_drain_command_gets_the_servers_pid(self):
        marker = os.path.join(self.results, "pid-{pid}")
        run = self.soak(*BUSY, "--churn", "max", "--closed", "1500", "--on-drain",
                        f"touch {marker}")
        self.assertEqual(run.exit, 0, run.explain())
        made = [n for n in os.listdir(self.results) if n.startswith("pid-")]
        self.assertEqual(len(made), 1)
        self.assertTrue(made[0][4:].isdigit())

    def test_failing_on_drain_command_is_a_broken_run(self):
        run = self.soak(*BUSY, "--churn", "max", "--closed", "1500", "--on-drain", "false")
        self.assertEqual(run.exit, 4, run.explain())
        self.assertIn("--on-drain", run.out + run.err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
