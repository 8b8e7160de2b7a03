#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Joins the shards of suite.sh. Of a shard that left nothing it shows the last line: the scenarios of one that is
# missing count as not run.
#SBATCH --job-name=soak-merge
#SBATCH --nodes=1
#SBATCH --ntasks=1
set -eu
for log in "$RESULTS"/shard-*.log; do
    [ -e "${log%.log}" ] || echo "$log: $(tail -n 1 "$log")"
done
set -- "$RESULTS"/shard-*/
[ -e "$1" ] || exit 2
exec "${SOAK:-soak}" merge "$@" --json="$RESULTS/suite.json" --junit="$RESULTS/junit.xml"
