#!/usr/bin/env bash
# A Kubernetes of kind with MinIO and the image that trains. Needs docker, kind and kubectl. Safe to run again.
set -euo pipefail
cd "$(dirname "$0")/../.."

for program in docker kind kubectl; do
  if ! command -v "$program" >/dev/null; then
    echo "make kind-up needs $program: install it, or use make test-cluster, which needs none of docker and kind." >&2
    exit 2
  fi
done
export IMAGE="${IMAGE:-localhost/phase2:kind}" TARGET="${TARGET:-cpu}" ENGINE=docker

if ! kind get clusters 2>/dev/null | grep -qx phase2; then
  kind create cluster --config k8s/kind/cluster.yaml --wait 120s
fi
kubectl() { command kubectl --context kind-phase2 "$@"; }

scripts/build_image.sh
kind load docker-image --name phase2 "$IMAGE"

kubectl apply -k k8s/overlays/kind
if ! kubectl -n minio get secret minio-root >/dev/null 2>&1; then
  key="phase2-$(openssl rand -hex 8)" word="$(openssl rand -hex 24)"
  printf 'MINIO_ROOT_USER=%s\nMINIO_ROOT_PASSWORD=%s\n' "$key" "$word" |
    kubectl -n minio create secret generic minio-root --from-env-file=/dev/stdin
  printf 'AWS_ACCESS_KEY_ID=%s\nAWS_SECRET_ACCESS_KEY=%s\n' "$key" "$word" |
    kubectl -n phase2 create secret generic phase2-s3 --from-env-file=/dev/stdin
fi
kubectl -n minio rollout status deployment/minio --timeout=180s
secret() { kubectl -n phase2 get secret phase2-s3 -o "jsonpath={.data.$1}" | base64 --decode; }
AWS_ACCESS_KEY_ID="$(secret AWS_ACCESS_KEY_ID)" AWS_SECRET_ACCESS_KEY="$(secret AWS_SECRET_ACCESS_KEY)" \
  "${PYTHON:-.venv/bin/python}" - <<'PYTHON'
import boto3
from botocore.exceptions import ClientError

client = boto3.client("s3", endpoint_url="http://127.0.0.1:9000", region_name="us-east-1")
try:
    client.create_bucket(Bucket="phase2")
except ClientError as error:
    if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
        raise
client.put_bucket_versioning(Bucket="phase2", VersioningConfiguration={"Status": "Enabled"})
PYTHON
echo "Ready. Try: phase2 submit --context kind-phase2 --image $IMAGE --algorithm e3nn --level lite --watch"
