#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# networks.sh [TEST...]: a run and its agents in network namespaces of their own, with delay and loss between
# them: 30 and 5,000 connections, clean, leaking, and nginx; and an agent that is lost. Needs root, and tc's
# netem or /dev/net/tun; takes a quarter of an hour. ./check has a part of it.
set -euo pipefail
cd "$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")"
[ -x build/bin/slow-link ] || sh scripts/setup.sh test
SOAK_NETWORKS=whole SOAK_BIN=${SOAK_BIN:-$PWD/build/bin} exec python3 -B tests/integration/test_networks.py "$@"
