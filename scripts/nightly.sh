#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The nightly job, step by step, on any machine:
#   nightly.sh shard K/N   runs shard K of N of scenarios/nightly, of all families, and of the servers and
#                          clients of others; those that aren't installed are skipped, and the exit code says so
#   nightly.sh merge       joins the night's shards that lie in the results' folder
#   nightly.sh history     adds their runs to the history, and fails when a figure stepped
#   nightly.sh torture K/N fails every N-th OpenSSL allocation of a connection; without K/N that day's
#                          seventh, so that a week has them all; 1/1 is all at once
#   nightly.sh hour        once a week: scenarios/weekly, which takes an hour, and then whether the harness
#                          itself is flat over 3M connections, or as many as ENDURANCE in the environment says
#   nightly.sh campaigns   once a week: clean servers and leaks by chance, RUNS of each (150), drawn by a seed
#                          that the date gives, in campaigns/DATE; their tables become the summary of the step
#   nightly.sh lint        analyses the source as no commit waits for (scripts/lint.sh deep)
#   nightly.sh instructions
#                          counts what a connection takes server and client (bench/instructions.py); without
#                          figures that are kept for this compiler and OpenSSL it fails, with 77
#   nightly.sh package     builds the packages twice and compares them, installs one in a clean root, and
#                          builds the container and runs soak in it
# A shard leaves its suite's folder and junit-K-of-N.xml in RESULTS/NIGHT, and the two joined lie in
# RESULTS-merged; whatever happens, what was measured is there. The exit code is that of `soak suite`,
# `soak merge`, `soak history --check`, `soak run` or `soak selftest`. In the environment: SOAK, the
# program (./soak); SCENARIOS, a file, folder or name instead of all; RESULTS, the results' folder
# (results/runs/nightly); NIGHT, a name that all shards of a night share and no other night has (today's
# date in UTC, so a night that goes past midnight there needs one; on GitHub the workflow's run).
set -euo pipefail
root=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
soak=${SOAK:-$root/soak}
results=${RESULTS:-$root/results/runs/nightly}
# Only the shards of one night are joined: the results of those before may still be there.
tonight=${results%/}/${NIGHT:-${GITHUB_RUN_ID:-$(date -u +%Y%m%d)}}
# Beside them: among them the joined suite would be joined with its own shards the next time.
merged=${results%/}-merged
# Debian's servers lie where an ordinary user's PATH doesn't lead.
export PATH=$PATH:/usr/local/sbin:/usr/sbin
# GitHub's machines have another name each night and are alike: they have one history.
[ -z "${GITHUB_ACTIONS:-}" ] || export SOAK_MACHINE="${SOAK_MACHINE:-github ${ImageOS:-}}"

usage() {
    echo "usage: nightly.sh shard K/N | merge | history | torture [K/N] | hour | campaigns | lint | instructions | package" >&2
    exit 2
}

shard() {
    # `2/3` names its file junit-2-of-3.xml; soak itself refuses what is no shard.
    local what=("${SCENARIOS:-nightly}")
    [ -n "${SCENARIOS:-}" ] || what+=("$root/scenarios" features starttls servers clients)
    mkdir -p "$tonight"
    "$soak" suite "${what[@]}" --shard "$1" --results "$tonight" \
        --junit="$tonight/junit-${1//\//-of-}.xml"
}

merge() {
    mkdir -p "$merged"
    "$soak" merge "$tonight" --json="$merged/suite.json" \
        --junit="$merged/junit.xml"
}

history() {
    local table=$merged/history.md status=0
    mkdir -p "$merged"
    "$soak" history add "$results"
    "$soak" history --check --markdown="$table" || status=$?
    [ -z "${GITHUB_STEP_SUMMARY:-}" ] || cat "$table" >>"$GITHUB_STEP_SUMMARY"
    return "$status"
}

torture() {
    mkdir -p "$results"
    "$soak" run default --fail-alloc --slice "$1" --results "$results" \
        --json="$results/torture-${1//\//-of-}.json"
}

# The harness is looked at whatever became of the hour; of two that fail the first is the exit code.
hour() {
    local status=0
    mkdir -p "$results"
    "$soak" suite "${SCENARIOS:-weekly}" --results "$results" --junit="$results/junit-hour.xml" || status=$?
    "$soak" selftest --endurance "${ENDURANCE:-3M}" || status=$((status ? status : $?))
    return "$status"
}

# Another seed each week, the same on every machine, and another folder: a campaign only goes on in its own.
# Each is made whatever became of the one before.
campaigns() {
    local which status=0 seed folder
    seed=$(date -u +%Y%m%d)
    folder=$results/campaigns/$seed
    mkdir -p "$results"
    for which in clean leaks; do
        "$soak" selftest --campaign "$which" --runs "${RUNS:-150}" --seed "$seed" --jobs "$(nproc)" \
            --results "$folder/$which" --markdown="$results/campaigns.md" ||
            status=$((status ? status : $?))
    done
    "$soak" selftest --campaign sensitivity --simulated --runs 10000 --seed "$seed" \
        --results "$folder/sensitivity" --markdown="$results/campaigns.md" ||
        status=$((status ? status : $?))
    [ -z "${GITHUB_STEP_SUMMARY:-}" ] || cat "$results/campaigns.md" >>"$GITHUB_STEP_SUMMARY"
    return "$status"
}

lint() {
    bash "$root/scripts/lint.sh" deep
}

instructions() {
    sh "$root/scripts/setup.sh" lint
    sh "$root/scripts/setup.sh" run
    python3 "$root/bench/instructions.py"
}

# Only root can make a root of its own; the packages are built as who this is.
package() {
    local as_root=() deb
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    bash "$root/scripts/reproducible.sh"
    deb=$(sh "$root/scripts/package.sh" | grep '\.deb$')
    "${as_root[@]}" bash "$root/scripts/deb-check.sh" "$deb"
    "${as_root[@]}" bash "$root/scripts/container-check.sh"
}

case ${1-} in
campaigns | history | hour | instructions | lint | merge | package)
    [ $# = 1 ] || usage
    "$1"
    ;;
shard)
    [ $# = 2 ] || usage
    shard "$2"
    ;;
torture)
    [ $# -le 2 ] || usage
    torture "${2:-$(date -u +%u)/7}"
    ;;
*) usage ;;
esac
