#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One shard of suite.sh, a task of its job array, on a node where nothing else is measured. A minute before its time
# is up it is interrupted in order, with what was measured until then. A shard that Slurm starts anew after a node was
# lost leaves what there was in lost-*, where merge.sh doesn't look.
#SBATCH --job-name=soak-shard
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --exclusive
#SBATCH --requeue
#SBATCH --signal=B:INT@60
set -eu
folder=$RESULTS/shard-$SLURM_ARRAY_TASK_ID
[ ! -e "$folder" ] || mv "$folder" "$RESULTS/lost-$SLURM_ARRAY_TASK_ID-before-${SLURM_RESTART_COUNT:-0}"
exec "${SOAK:-soak}" suite "$@" --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --results "$folder"
