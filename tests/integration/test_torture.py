# SPDX-License-Identifier: Apache-2.0
"""Allocations that fail: what stays is found, and a side that dies or hangs is outlived."""

import copy
import json
import os
import pathlib
import re
import signal
import subprocess
import unittest

import jsonschema

import soak_run
from patience import until
from processes import children_of

SOURCE = pathlib.Path(__file__).resolve().parents[2]
CLEAN = ("--clean", "1", "--reset", "0", "--half-close", "0", "--mid-handshake", "0")
TORTURE = ("run", "--fail-alloc", "--quiet", *CLEAN)
FIRST_STEPS = 40  # a third of the server's are six times as many
TOLD_FRAMES = int(re.search(r"TRACE_LINES = (\d+)", (SOURCE / "src/soak/torture/torture.h")
                            .read_text("utf-8"))[1])
# jsonschema 3 (Ubuntu 22.04) knows no later draft than 7, which has all that the schema uses.
VALIDATOR = getattr(jsonschema, "Draft202012Validator", jsonschema.Draft7Validator)
SCHEMA = json.loads((SOURCE / "results/schema/soak-torture-1.schema.json").read_text("utf-8"))


def strict(schema):
    """The same schema, which refuses keys that it doesn't describe."""
    copied = copy.deepcopy(schema)
    places = [copied, *copied["$defs"].values(), copied["properties"]["libs"],
              copied["$defs"]["sweep"]["properties"]["led_to"]]
    for place in places:
        if "properties" in place:
            place["additionalProperties"] = False
    return copied


def line_of(path, text):
    """The line of the source that holds the text, which is there once."""
    lines = (SOURCE / path).read_text(encoding="utf-8").splitlines()
    found = [number for number, line in enumerate(lines, 1) if text in line]
    assert len(found) == 1, found
    return found[0]


class Torture(soak_run.SoakTest):
    def is_ours(self, finding):
        return any(site["file"].startswith(("server/", "client/", "src/"))
                   for site in finding["stays"]["sites"])

    def steps(self):
        """How many allocations have failed so far."""
        folder = self.last()
        path = os.path.join(folder, "samples.jsonl") if folder else ""
        if not os.path.exists(path):
            return 0
        with open(path, encoding="utf-8") as f:
            return sum(line.endswith("\n") for line in f)

    def disturb(self, number, *options):
        """Sends the server a signal in the middle of a sweep; gives the finished run."""
        process = until(lambda: self.held_in_the_middle(*options), "the middle of a sweep is met")
        if number == signal.SIGINT:
            process.send_signal(number)
        else:
            os.kill(children_of(process.pid)["soak-server"], number)
        process.send_signal(signal.SIGCONT)
        out, err = process.communicate(timeout=soak_run.PATIENCE_S)
        done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
        return soak_run.Run(done, self.last())

    def held_in_the_middle(self, *options):
        """A soak that stands still there, or None when it was over before the test had looked. It has
        less of the processor than the test."""
        before = self.last()
        process = subprocess.Popen(self.command(*options), stdout=subprocess.PIPE, text=True,
                                   stderr=subprocess.PIPE, preexec_fn=lambda: os.nice(10),
                                   env=dict(os.environ, **soak_run.sanitizers_told(soak_run.UNCAUGHT)))
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        until(lambda: self.last() != before and self.steps() >= FIRST_STEPS or process.poll() is not None)
        process.send_signal(signal.SIGSTOP)
        if process.poll() is None and self.steps() <= 3 * FIRST_STEPS:
            return process
        process.kill()
        process.wait()
        return None

    def assert_described(self, run):
        """The document is as the schema says, and holds nothing else."""
        errors = VALIDATOR(strict(SCHEMA)).iter_errors(run.result)
        self.assertEqual([f"{list(e.path)}: {e.message}" for e in errors], [])

    def assert_whole(self, run, side, parts=1, part=1):
        """Each allocation of the slice has failed."""
        sweep = next(s for s in run.result["sweeps"] if s["side"] == side)
        self.assertGreater(sweep["allocations_most"], 100)
        numbers = range(part, sweep["allocations_most"] + 1, parts)
        self.assertEqual(sweep["tried"], len(numbers), run.explain())
        steps = {s["number"] for s in run.samples if s["side"] == side and s["number"]}
        self.assertEqual(steps, set(numbers))
        hit = [s for s in run.samples if s["side"] == side and s["failed"]]
        self.assertGreaterEqual(len(hit), sweep["tried"] - sweep["not_reached"])

    def test_a_slice_of_both_sides_is_complete_and_finds_nothing_of_ours(self):
        run = self.soak(*TORTURE, "--slice", "3/40")
        self.assertIn(run.exit, (0, 1), run.explain())
        self.assertEqual(run.result["exit"], run.exit)
        self.assert_whole(run, "server", 40, 3)
        self.assert_whole(run, "client", 40, 3)
        self.assertEqual([f for f in run.result["findings"] if self.is_ours(f)], [])
        for sweep in run.result["sweeps"]:
            self.assertGreater(sweep["gave_up"], 0)
            self.assertEqual(sweep["not_reached"], 0)
        self.assertEqual(run.result["starts"], 1)

    def test_a_document_that_cannot_be_written_is_no_pass(self):
        run = self.soak(*TORTURE, "--slice", "3/40", "--side", "client", "--json=/dev/full")
        self.assertEqual(run.exit, 1 if run.result["verdict"] == "FOUND" else 4, run.explain())
        self.assertEqual(run.result["exit"], run.exit)
        self.assertIn("--json=/dev/full", run.err)
        self.assert_described(run)

    def test_a_slice_in_which_nothing_fails_is_no_pass(self):
        run = self.soak(*TORTURE, "--slice", "1000/1000", "--side", "server")
        self.assertEqual((run.exit, run.result["verdict"]), (4, "BROKEN"), run.explain())
        self.assertRegex(run.result["broken"], r"^no allocation has failed: a connection makes at most \d+, none of "
                                               "which is in slice 1000/1000$")
        self.assert_described(run)

    def test_a_servers_cache_is_emptied_before_its_blocks_are_compared(self):
        """A session that is kept would stay as much as one that is lost."""
        run = self.soak(*TORTURE, "--slice", "1/60", "--side", "server", "--session", "cache", "--tls", "1.2")
        self.assertIn(run.exit, (0, 1), run.explain())
        self.assert_whole(run, "server", 60)
        self.assertEqual([f for f in run.result["findings"] if f["kind"] != "kept-once"], [], run.explain())

    def test_a_planted_loss_is_found_by_the_allocation_that_failed(self):
        run = self.soak(*(word for word in TORTURE if word != "--quiet"), "--side", "server",
                        "--defect", "alloc-fail-path")
        self.assertEqual(run.exit, 1, run.explain())
        self.assertTrue(run.out.startswith("FOUND"), run.out)
        self.assert_whole(run, "server")
        self.assert_described(run)
        finding, = [f for f in run.result["findings"] if self.is_ours(f)]
        stays, = finding["stays"]["sites"]
        self.assertEqual((finding["kind"], finding["side"], finding["in"]),
                         ("lost", "server", "server"))
        self.assertEqual((stays["file"], stays["line"], stays["blocks"], stays["bytes"]),
                         ("server/defect.c",
                          line_of("server/defect.c", "OPENSSL_zalloc(NAMED_STATE_BYTES)"), 1, 96))
        self.assertEqual((finding["failed"]["file"], finding["failed"]["line"]),
                         ("server/defect.c", line_of("server/defect.c",
                                                     "OPENSSL_malloc(NAME_BYTES)")))
        self.assertEqual((finding["repeats"], finding["stayed"], finding["times"]), (20, 20, 1))
        self.assertEqual(finding["call"], "named_state_accept")
        self.assertIn("named_state_accept", finding["stays_by"][0])
        self.assertRegex(run.out, r"\n  server named_state_accept #\d+ fails: 1 block, 96 B stay, at "
                                  rf"server/defect\.c:{stays['line']} \(server, 20 of 20 repeats\)\n"
                                  rf" +failed +\d+ B at server/defect\.c:{finding['failed']['line']}\n"
                                  r" +by +\S.*\n(?: +← .*\n)* +stays by +named_state_accept")

    def test_a_server_that_crashes_is_recorded_and_the_sweep_goes_on(self):
        run = self.disturb(signal.SIGSEGV, *TORTURE, "--side", "server", "--slice", "1/3")
        self.assertEqual(run.exit, 1, run.explain())
        self.assert_whole(run, "server", 3)
        self.assert_described(run)
        finding, = [f for f in run.result["findings"] if f["kind"] == "crash"]
        self.assertEqual((finding["in"], finding["signal"]), ("server", signal.SIGSEGV))
        self.assertEqual(run.result["starts"], 2)
        # The signal comes at any depth, and the innermost frames are told.
        frames = finding["ended_in"]
        if len(frames) < TOLD_FRAMES and soak_run.HAS_CRASH_STACKS:
            self.assertIn("main  server/main.c", "\n".join(frames))
        self.assertEqual(len(frames) > 3, soak_run.HAS_CRASH_STACKS)

    def test_a_server_that_hangs_once_is_no_finding(self):
        run = self.disturb(signal.SIGSTOP, *TORTURE, "--side", "server", "--slice", "1/3",
                           "--watchdog", "10s")
        self.assertIn(run.exit, (0, 1), run.explain())
        self.assert_whole(run, "server", 3)
        self.assertEqual([f for f in run.result["findings"] if f["kind"] == "hang"], [])
        self.assertEqual([s["outcome"] for s in run.samples].count("stuck"), 1)
        self.assertEqual(run.result["starts"], 2)

    def test_an_interrupted_sweep_leaves_what_it_knows(self):
        run = self.disturb(signal.SIGINT, *TORTURE)
        self.assertEqual(run.exit, 130, run.explain())
        self.assertEqual(run.result["verdict"], "INTERRUPTED")
        self.assertGreater(run.result["sweeps"][0]["tried"], 0)

    def test_a_server_that_leaks_anyway_is_refused(self):
        run = self.soak(*TORTURE, "--side", "server", "--defect", "lost-state")
        self.assertEqual(run.exit, 4, run.explain())
        self.assert_described(run)
        self.assertIn("although no allocation fails", run.out)
        self.assertEqual(run.result["findings"], [])


if __name__ == "__main__":
    unittest.main()
