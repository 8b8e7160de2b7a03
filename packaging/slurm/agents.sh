#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The job of run.sh: the run on its first node, agents on the others. The run is the job's own process: a minute before
# the time is up it alone is interrupted, and ends in order; agents end with it. Slurm doesn't start it anew.
#SBATCH --job-name=soak-run
#SBATCH --exclusive
#SBATCH --no-requeue
#SBATCH --signal=B:INT@60
set -eu
agents=$1
shift
# Where Slurm itself reaches this node: a name may lead its own machine to 127.0.1.1.
node=$(scontrol show node "$SLURMD_NODENAME" | sed -n 's/.*NodeAddr=\([^ ]*\).*/\1/p')
address=$(getent ahostsv4 "$node" | sed -n '1s/ .*//p')
[ -n "$address" ] || {
    echo "agents.sh: no IPv4 address of $SLURMD_NODENAME is known" >&2
    exit 4
}
for word; do
    shift
    set -- "$@" "$(printf '%s' "$word" | sed "s/ADDRESS/$address/g")"
done
join=$address:${PORT:-7411}
others=$((SLURM_JOB_NUM_NODES - 1))
away=
[ "$others" = 0 ] || away="--nodes=$others --exclude=$SLURMD_NODENAME"
# Two words or none.
# shellcheck disable=SC2086
srun --overlap --overcommit --ntasks="$agents" $away --output="$RESULTS/agents-%t.log" \
    "${SOAK:-soak}" agent --join "$join" --wait 5m &
exec "${SOAK:-soak}" run "$@" --agents "$agents" --agents-listen "$join" --results "$RESULTS"
