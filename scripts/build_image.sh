#!/usr/bin/env bash
# Build the container image with docker, podman or buildah, whichever works here. Settings by environment:
#   IMAGE       name of the image (localhost/phase2:VERSION)
#   TARGET      gpu or cpu (gpu)
#   BASE_IMAGE  base with Python (that of the Dockerfile)
#   CA_BUNDLE   certificates to trust while building, behind a proxy that opens TLS; they stay out of the image
#   TORCH_INDEX, TORCH_HASH  for cpu: index with PyTorch's CPU build, and the hash of its wheel
#   ENGINE      docker, podman or buildah (the first that works)
set -euo pipefail
cd "$(dirname "$0")/.."

works() {
  case "$1" in
    docker) docker info >/dev/null 2>&1 ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

if [ -z "${ENGINE:-}" ]; then
  for ENGINE in docker podman buildah none; do
    if [ "$ENGINE" = none ] || works "$ENGINE"; then break; fi
  done
fi
if [ "$ENGINE" = none ]; then
  echo "Building an image takes docker with its daemon, podman, or buildah: install one." >&2
  exit 2
fi

version="$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' src/phase2/__init__.py)"
revision="$(git describe --always --abbrev=40 --dirty --exclude='*' 2>/dev/null || true)"
arguments=(
  --file Dockerfile --target "${TARGET:-gpu}" --tag "${IMAGE:-localhost/phase2:$version}"
  --build-arg "VERSION=$version" --build-arg "REVISION=$revision"
  --build-arg "SOURCE=$(git config --get remote.origin.url 2>/dev/null || echo unknown)"
)
for name in BASE_IMAGE TORCH_INDEX TORCH_HASH; do
  if [ -n "${!name:-}" ]; then arguments+=(--build-arg "$name=${!name}"); fi
done
if [ -n "${CA_BUNDLE:-}" ]; then arguments+=(--secret "id=ca,src=$CA_BUNDLE"); fi
# docker and podman cache layers by themselves. The OCI format has no place for some settings of docker's: none is used.
if [ "$ENGINE" != docker ]; then arguments=(--layers "${arguments[@]}"); fi

echo "$ENGINE build ${arguments[*]} ." >&2
DOCKER_BUILDKIT=1 exec "$ENGINE" build "${arguments[@]}" .
