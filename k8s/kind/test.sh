#!/usr/bin/env bash
# The tests of the cluster on the one of up.sh, except those that break the node's own processes.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
export KUBECONFIG="$folder/kubeconfig"
kind get kubeconfig --name phase2 > "$KUBECONFIG"
kubectl config set-context --current --namespace phase2 >/dev/null

secret() { kubectl get secret phase2-s3 -o "jsonpath={.data.$1}" | base64 --decode; }
AWS_ACCESS_KEY_ID="$(secret AWS_ACCESS_KEY_ID)"
AWS_SECRET_ACCESS_KEY="$(secret AWS_SECRET_ACCESS_KEY)"
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_ENDPOINT_URL_S3=http://127.0.0.1:9000 AWS_REGION=us-east-1

# What the namespace must refuse.
if kubectl create job stranger --image=busybox --dry-run=server 2>/dev/null; then
  echo "The policy let a Job through that is no run of phase2." >&2
  exit 1
fi
export PHASE2_CLUSTER=given PHASE2_IMAGE="${IMAGE:-localhost/phase2:kind}"
"${PYTHON:-.venv/bin/python}" -m pytest tests/on_cluster -m cluster "$@"
