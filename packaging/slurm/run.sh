#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh AGENTS [OPTIONS]: `soak run` as a job whose load comes from AGENTS agents, each on a node of its own, and the
# server under test on another. OPTIONS are those of soak run; ADDRESS in them is that of the run's node, which Slurm
# chooses: --listen ADDRESS:0. Waits for the job, prints what the run said, and its exit code is this one's.
# In the environment: SOAK, the program (soak); RESULTS, a new folder (soak-results/TIME); NODES, how many to ask for
# (AGENTS + 1; 1 puts all on one); PORT, where the agents join (7411); and sbatch's own, such as SBATCH_PARTITION.
# The join token is made here for this run: Slurm hands it to the job in its environment.
set -eu
here=$(dirname -- "$(readlink -f -- "$0")")

usage() {
    echo "run.sh: $*; usage: run.sh AGENTS [OPTIONS]" >&2
    exit 2
}

case ${1-} in
'' | 0* | *[!0-9]*) usage "'${1-}' is not a number of agents" ;;
esac
agents=$1
shift
RESULTS=${RESULTS:-soak-results/$(date +%Y%m%d-%H%M%S)}
[ ! -e "$RESULTS" ] || usage "$RESULTS exists; RESULTS=FOLDER names another"
mkdir -p "$RESULTS"
RESULTS=$(readlink -f -- "$RESULTS")
SOAK_JOIN_TOKEN=$(openssl rand -hex 32)
export RESULTS SOAK_JOIN_TOKEN

status=0
sbatch --parsable --wait --nodes="${NODES:-$((agents + 1))}" --output="$RESULTS/run.log" \
    "$here/agents.sh" "$agents" "$@" >/dev/null || status=$?
cat "$RESULTS/run.log"
exit "$status"
