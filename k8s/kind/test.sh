#!/usr/bin/env bash
# A run on the cluster of up.sh, from its submission to its files in the bucket, read back and hashed.
set -euo pipefail
cd "$(dirname "$0")/../.."

python="${PYTHON:-.venv/bin/python}" image="${IMAGE:-localhost/phase2:kind}"
run="kind-$(date +%s)"
kubectl() { command kubectl --context kind-phase2 "$@"; }

secret() { kubectl -n phase2 get secret phase2-s3 -o "jsonpath={.data.$1}" | base64 --decode; }
AWS_ACCESS_KEY_ID="$(secret AWS_ACCESS_KEY_ID)"
AWS_SECRET_ACCESS_KEY="$(secret AWS_SECRET_ACCESS_KEY)"
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_ENDPOINT_URL_S3=http://127.0.0.1:9000 AWS_REGION=us-east-1

kubectl get nodes
"$python" -m phase2 submit --context kind-phase2 --namespace phase2 --image "$image" --run-id "$run" \
  --cpu 1 --memory 2Gi --algorithm cgcnn --level smoke --watch
"$python" -m phase2 doctor --store s3://phase2
"$python" -m phase2 runs verify "$run" --store s3://phase2

# What the namespace must refuse.
if kubectl -n phase2 create job stranger --image=busybox --dry-run=server 2>/dev/null; then
  echo "The policy let a Job through that is no run of phase2." >&2
  exit 1
fi
echo "The run $run went through the cluster and is whole in the bucket; a stranger's Job was refused."
