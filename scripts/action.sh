#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What action.yml runs: a suite in somebody else's repository, in the present folder. In the environment:
#   SCENARIOS  files, folders or names of scenarios, separated by blanks
#   OPTIONS    further options, for each run, separated by blanks
#   RESULTS    the folder for results, junit.xml and suite.json (soak-results)
#   SOAK       the program; without it the soak in PATH, else this clone's, which builds itself
# GitHub shows errors where they arose and the table in the job's summary: soak does both. The exit code
# is that of `soak suite`, also as the output `exit`; the output `artifact` is RESULTS as the name of an
# artifact, which has none of "/:<>|*?\ and is not empty.
set -euo pipefail
root=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
soak=${SOAK:-$(command -v soak || echo "$root/soak")}
results=${RESULTS:-soak-results}

output() {
    [ -z "${GITHUB_OUTPUT:-}" ] || echo "$1=$2" >>"$GITHUB_OUTPUT"
}
artifact=$(printf %s "$results" | tr -c 'A-Za-z0-9._ -' - | sed 's/^[.-]*//; s/-*$//')
output artifact "${artifact:-soak-results}"

# Words, not shell: nothing in them is expanded.
read -r -d '' -a scenarios <<<"${SCENARIOS:-}" || true
read -r -d '' -a options <<<"${OPTIONS:-}" || true
if [ "${#scenarios[@]}" = 0 ]; then
    echo "action.sh: SCENARIOS names no scenario: give files or folders, such as path/to/scenarios" >&2
    exit 2
fi

mkdir -p "$results"
status=0
"$soak" suite "${scenarios[@]}" "${options[@]}" --results "$results" --junit="$results/junit.xml" \
    --json="$results/suite.json" || status=$?
output exit "$status"
exit "$status"
