#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a run takes on other machines: a model fitted to points that were measured on this one, its error, and
what it says of 2, 16 and 64 processors and of 10 machines. See docs/guide/scale.md, whose section "What to
expect" is written by it.

    bench/scale.py [--measure [--bin FOLDER] [--quick]] [--check]

--measure makes the points anew (bench/scale.json); then the section is written from them. --check writes
nothing: exit 1 when the section isn't what the points give.

The model. CPU time per connection of each side is one figure, however many are open. The RSS of each side
is a line over the connections that are open. Churn is the share of the processors' time that connections
get, of all that the two sides need for one; that share is one figure, fitted over all points. The error of
each is that of leaving a point out: it is predicted from the others.
"""

import argparse
import json
import os
import pathlib
import statistics
import sys
import tempfile
import textwrap

import bench

ROOT = pathlib.Path(__file__).resolve().parents[1]
POINTS, PAGE = ROOT / "bench" / "scale.json", ROOT / "docs" / "guide" / "scale.md"
BEGIN, END = "<!-- bench/scale.py writes from here -->\n", "<!-- to here -->\n"

CASES = {name: bench.CASES[name][0] for name in bench.CASES}
OPEN = (30, 1000, 3000, 10000)
# Processors, threads of the client.
SHARES = ((1, 1), (1, 2), (2, 1), (2, 2), (2, 4))
# A machine in the table, and the agents that load it beside its own client.
MACHINES = (("2 processors", 2, 0), ("16 processors", 16, 0), ("64 processors", 64, 0),
            ("10 machines of 16 processors, 9 of them agents", 16, 9))
PER_AGENT = 470  # connections per second: docs/guide/scale.md, Many machines
MANY_OPEN = 50000


def run_one(options, case, conns, closed, processors=2, workers=None):
    """One run: CPU per connection and RSS of each side, and churn."""
    more = ["--conns", str(conns), "--closed", str(closed), *bench.CASES[case][2]]
    if workers:
        more += ["--client-workers", str(workers)]
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[:processors]))
    with tempfile.TemporaryDirectory(prefix="soak-scale-") as results:
        server, client, rate = bench.harness(options, results, *more,
                                             around=lambda words: ["taskset", "-c", cores, *words])
        with open(os.path.join(results, "last", "samples.jsonl"), encoding="utf-8") as f:
            last = [line for line in map(json.loads, f) if line["kind"] == "checkpoint"][-1]
    point = {"case": case, "open": conns, "processors": processors, "workers": workers,
             "cpu_us": {"server": round(server, 1), "client": round(client, 1)}, "rate_per_s": round(rate, 1),
             "rss": {side: last[side]["process"]["rss"] for side in ("server", "client")}}
    print(json.dumps(point), flush=True)
    return point


def measure(options):
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("scale: two processors are the fewest that show how churn grows with them")
    few = 1500 if options.quick else 8000
    machine = bench.Machine(options.calm)
    points = [machine.run(run_one, options, case, 30, few) for case in CASES]
    points += [machine.run(run_one, options, "full", conns, 4 * conns + few) for conns in OPEN[1:]]
    points += [machine.run(run_one, options, "full", 30, few, *part) for part in SHARES]
    return {"others": round(machine.share_of_others(), 3), "points": points}


# ---- the model ----

def line(points):
    """Least squares of relative errors over (x, y): returns the function. One x alone gives their mean."""
    weight = sum(1 / y ** 2 for _, y in points)
    mean_x, mean_y = (sum(p[i] / p[1] ** 2 for p in points) / weight for i in (0, 1))
    spread = sum(((x - mean_x) / y) ** 2 for x, y in points)
    slope = sum((x - mean_x) * (y - mean_y) / y ** 2 for x, y in points) / spread if spread else 0.0
    return lambda x: mean_y + slope * (x - mean_x)


def left_out(points, fit, predict):
    """The largest error, as a share, of a point that is predicted from the others."""
    errors = []
    for i, point in enumerate(points):
        expected, found = predict(fit(points[:i] + points[i + 1:]), point)
        errors.append(abs(expected - found) / found)
    return max(errors)


def memory(points, side):
    """(fitted, error) of the RSS of one side over the connections open."""
    pairs = [(p["open"], p["rss"][side]) for p in points if p["case"] == "full"]
    return line(pairs), left_out(pairs, line, lambda fitted, pair: (fitted(pair[0]), pair[1]))


def processor(points, side):
    """(fitted, error) of the CPU time of one side for a connection, in microseconds."""
    found = [p["cpu_us"][side] for p in points if p["case"] == "full"]
    return statistics.mean(found), left_out(found, statistics.mean, lambda fitted, one: (fitted, one))


def needs_s(point):
    return (point["cpu_us"]["server"] + point["cpu_us"]["client"]) / 1e6


def share_of(points):
    return statistics.mean(p["rate_per_s"] * needs_s(p) / p["processors"] for p in points)


def share(points):
    """(fitted, error) of the share of the processors' time that connections get."""
    return share_of(points), left_out(points, share_of, lambda fitted, p: (
        fitted * p["processors"] / needs_s(p), p["rate_per_s"]))


# ---- the page ----

def churn(point, processors, agents, part):
    """Connections per second; with agents the processors are the server's alone."""
    if not agents:
        return part * processors / needs_s(point)
    return min(part * processors * 1e6 / point["cpu_us"]["server"], agents * PER_AGENT)


def rounded(value):
    digits = max(0, len(str(int(value))) - 2)
    return f"{round(value / 10 ** digits) * 10 ** digits:,.0f}"


def churn_table(cases, part):
    head = [f"| | {' | '.join(CASES[c] for c in CASES)} |", "|---|" + "---:|" * len(CASES)]
    rows = [f"| {title} | " + " | ".join(rounded(churn(cases[c], processors, agents, part)) for c in CASES) + " |"
            for title, processors, agents in MACHINES]
    return head + rows


def kib(fitted):
    return (fitted(MANY_OPEN) - fitted(0)) / MANY_OPEN / 1024


def text(measured):
    points, others = measured["points"], measured["others"]
    cases = {p["case"]: p for p in points if p["open"] == 30 and p["workers"] is None}
    part, part_error = share(points)
    cpu = {side: processor(points, side) for side in ("server", "client")}
    rss = {side: memory(points, side) for side in cpu}
    total = sum(fitted(MANY_OPEN) for fitted, _ in rss.values()) / 1024 ** 3
    table = ["Connections per second at `--churn max`, server and client on one machine where nothing else is said:",
             "", *churn_table(cases, part), ""]
    lines = [
        f"- **Churn** is {part:.2f} of what the processors would give if a connection's own time were all. Each of the "
        f"{len(points)} points, left out and predicted from the others, is missed by {part_error:.0%} at most.",
        *(f"- **The {side}** takes {cpu[side][0]:.0f} us of processor time per connection, {OPEN[0]} to {OPEN[-1]:,} "
          f"open (TLS 1.3 P-256, error {cpu[side][1]:.0%}), and {kib(rss[side][0]):.0f} KiB of RSS for each open "
          f"connection (error {rss[side][1]:.0%})." for side in cpu),
        f"- **{MANY_OPEN:,} open** take {total:.1f} GiB on any machine, of both sides together.",
    ]
    if others > bench.WORTH_A_WORD:
        lines.append(f"- **Other programs** had {others:.0%} of the processors meanwhile, so churn is far below what "
                     "this machine has when it is still, and is to be measured again then.")
    wrapped = (textwrap.fill(item, 119, subsequent_indent="  ", break_on_hyphens=False) for item in lines)
    return "\n".join([*table, *wrapped]) + "\n"


def write(measured, check):
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    now = before + BEGIN + text(measured) + END + after
    if check:
        return now == page
    PAGE.write_text(now, encoding="utf-8")
    return True


def main():
    parser = argparse.ArgumentParser(description="what a run takes on other machines")
    parser.add_argument("--measure", action="store_true", help="make the points anew, in about three minutes")
    parser.add_argument("--quick", action="store_true", help="fewer connections of each point")
    parser.add_argument("--calm", type=float, default=10, metavar="SECONDS",
                        help="wait so long for others to be still before each point (10)")
    parser.add_argument("--bin", default=str(ROOT / "build" / "bin"), help="where the programs are (build/bin)")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the page is another")
    options = parser.parse_args()
    if options.measure:
        POINTS.write_text(json.dumps(measure(options), indent=1) + "\n", encoding="utf-8")
    if write(json.loads(POINTS.read_text(encoding="utf-8")), options.check):
        return 0
    print(f"scale: {PAGE.relative_to(ROOT)} isn't what bench/scale.json gives; write it by: bench/scale.py",
          file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
