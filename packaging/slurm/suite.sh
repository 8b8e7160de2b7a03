#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# suite.sh SHARDS SCENARIOS... [OPTIONS]: `soak suite` as a job array, one node for each shard, and `soak merge` in a
# job that begins when all shards have ended. Waits for it, prints its table, and its exit code is this one's.
# Run it where sbatch is, in a folder that all nodes share. In the environment: SOAK, the program (soak); RESULTS, a
# new folder for what is measured (soak-results/TIME); and sbatch's own, such as SBATCH_PARTITION and SBATCH_TIMELIMIT.
set -eu
here=$(dirname -- "$(readlink -f -- "$0")")

usage() {
    echo "suite.sh: $*; usage: suite.sh SHARDS SCENARIOS... [OPTIONS]" >&2
    exit 2
}

[ $# -ge 2 ] || usage "SHARDS and SCENARIOS are needed"
case $1 in
'' | 0* | *[!0-9]*) usage "'$1' is not a number of shards" ;;
esac
shards=$1
shift
RESULTS=${RESULTS:-soak-results/$(date +%Y%m%d-%H%M%S)}
[ ! -e "$RESULTS" ] || usage "$RESULTS exists; RESULTS=FOLDER names another"
mkdir -p "$RESULTS"
RESULTS=$(readlink -f -- "$RESULTS")
export RESULTS

array=$(sbatch --parsable --array="1-$shards" --output="$RESULTS/shard-%a.log" "$here/shard.sh" "$@")
array=${array%%;*}
echo "suite.sh: $shards shards are job $array, in $RESULTS; Ctrl-C leaves them running, 'scancel $array' ends them" >&2
status=0
sbatch --parsable --wait --dependency="afterany:$array" --output="$RESULTS/merge.log" "$here/merge.sh" \
    >/dev/null || status=$?
cat "$RESULTS/merge.log"
exit "$status"
