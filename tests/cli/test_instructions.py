# SPDX-License-Identifier: Apache-2.0
"""The gate of bench/instructions.py, over a made-up file of callgrind's and made-up figures."""

import contextlib
import importlib.util
import io
import pathlib
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "bench/instructions.py"
SPEC = importlib.util.spec_from_file_location("instructions", SOURCE)
instructions = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(instructions)

# The loop takes 10 by itself, 70 for connections and, in two calls, 20 for the timer's function.
CALLGRIND = """version: 1
events: Ir

fn=(1) run
+3 10
cfn=(2) on_read
calls=7 40
+1 70
cfn=(3) on_publish
calls=1 50
+2 15

fn=(4) main
cfn=(3)
calls=1 50
* 5

fn=(3)
50 20

fn=(2)
40 70

totals: 100
"""


class Instructions(unittest.TestCase):
    def spent(self, text, *left_out):
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".out") as f:
            f.write(text)
            f.flush()
            return instructions.spent(f.name, left_out)

    def compare(self, now, kept=1000):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            ok = instructions.compare({"full": {"server": now}}, {"full": {"server": kept}})
        return ok, said.getvalue()

    def test_what_runs_by_the_clock_is_left_out(self):
        self.assertEqual(self.spent(CALLGRIND), 100)
        self.assertEqual(self.spent(CALLGRIND, "on_publish", "on_tick"), 80)

    def test_what_is_left_out_is_a_function_of_that_program(self):
        """One that has got another name would be counted as often as the clock calls it."""
        for program, names in instructions.BY_CLOCK.items():
            text = "\n".join(path.read_text(encoding="utf-8") for path in (SOURCE.parents[1] / program).glob("*.c"))
            for name in names:
                self.assertRegex(text, rf"(?m)^(static )?void {name}\(", program)

    def test_a_file_without_a_total_is_no_figure(self):
        with self.assertRaisesRegex(SystemExit, "callgrind counted nothing"):
            self.spent("version: 1\n")

    def test_one_per_cent_either_way_passes(self):
        self.assertTrue(self.compare(1010)[0])
        self.assertTrue(self.compare(990)[0])

    def test_more_fails_and_so_does_less(self):
        for now in (1011, 989):
            ok, said = self.compare(now)
            self.assertFalse(ok)
            self.assertIn("bench/instructions.py --write", said)


if __name__ == "__main__":
    unittest.main()
