#!/usr/bin/env bash
# Remove the cluster of up.sh, with everything in it.
set -euo pipefail
kind delete cluster --name phase2
