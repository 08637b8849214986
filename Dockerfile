# The image that trains: `make image`, or docs/how-to/container-image.md. docker (BuildKit), podman and buildah build it.
#
# Any base serves that has Python 3.11 to 3.13 with venv, libstdc++ and ca-certificates; fused kernels need its headers as
# well. The last stages start from the same base, since the environment points to its interpreter. The digest decides; the tag says what it is.
ARG BASE_IMAGE=python:3.13.11-slim-trixie@sha256:2b9c9803c6a287cafa0a8c917211dddd23dcd2016f049690ee5219f5d3f1636e

# ---- builder: what installs, and stays behind ----
FROM ${BASE_IMAGE} AS builder
WORKDIR /build
# Behind a proxy that opens TLS, the certificates to trust come as the secret `ca` or as a mount over /etc/ssl/certs.
# Both are there while a command runs, and in no layer. (buildah 1.28 deletes the file that a secret is mounted on.)
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    UV_NO_CACHE=1 \
    UV_NO_PROGRESS=1 \
    UV_PYTHON_DOWNLOADS=never
COPY constraints/tools.txt constraints/
RUN --mount=type=secret,id=ca \
    if [ -s /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca PIP_CERT=/run/secrets/ca; fi \
    && python3 -m venv /opt/tools \
    && /opt/tools/bin/python -m pip install --quiet --require-hashes -r constraints/tools.txt

# ---- runtime: what both images share ----
FROM ${BASE_IMAGE} AS runtime
# The user is a number; it has a name too, since libraries that ask who runs them fail without one.
RUN echo 'phase2:x:10001:10001:phase2:/tmp:/usr/sbin/nologin' >> /etc/passwd \
    && echo 'phase2:x:10001:' >> /etc/group \
    && install -d -o 10001 -g 10001 /work
ENV PATH=/opt/phase2/bin:$PATH \
    HOME=/tmp \
    USER=phase2 \
    MPLCONFIGDIR=/tmp/matplotlib \
    PHASE2_CACHE_DIR=/work/cache \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /work
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["phase2"]
LABEL org.opencontainers.image.title="phase2" \
      org.opencontainers.image.description="Multi-task models of material properties" \
      org.opencontainers.image.licenses="Apache-2.0"

# ---- gpu-dependencies: gigabytes that change with the constraints alone, installed where they stay ----
# Neither copied from another stage, which doubles them and has buildah hash them at each build, nor installed by tools
# that are mounted from there, which buildah 1.28 does not always find.
FROM runtime AS gpu-dependencies
USER 0:0
COPY constraints/tools.txt constraints/compiler.txt constraints/train.txt scripts/slim_environment.py \
     scripts/triton_driver.py /opt/build/
RUN --mount=type=secret,id=ca \
    export UV_NO_CACHE=1 UV_NO_PROGRESS=1 PIP_NO_CACHE_DIR=1 \
    && export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    && if [ -s /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca PIP_CERT=/run/secrets/ca; fi \
    && python3 -m venv /tmp/tools \
    && /tmp/tools/bin/python -m pip install --quiet --require-hashes -r /opt/build/tools.txt \
    && python3 -m venv --without-pip /opt/phase2 \
    && /tmp/tools/bin/uv pip install --python /opt/phase2/bin/python --compile-bytecode \
       --require-hashes -r /opt/build/train.txt \
    && /tmp/tools/bin/uv pip install --python /tmp/tools/bin/python --require-hashes -r /opt/build/compiler.txt \
    && /tmp/tools/bin/python -B /opt/build/triton_driver.py /opt/phase2 \
    && python3 -B /opt/build/slim_environment.py /opt/phase2 \
    && rm -rf /tmp/tools /tmp/uv-* /tmp/zig-*
USER 10001:10001

# ---- cpu-dependencies: the same without what a GPU alone needs ----
# Linux gets PyTorch's CUDA build from the default index. TORCH_INDEX names one that has the CPU build, which is not
# among the hashes of the constraints: TORCH_HASH (sha256:...) pins it.
FROM runtime AS cpu-dependencies
USER 0:0
ARG TORCH_INDEX=
ARG TORCH_HASH=
COPY constraints/tools.txt constraints/train.txt scripts/slim_environment.py /opt/build/
RUN --mount=type=secret,id=ca \
    export UV_NO_CACHE=1 UV_NO_PROGRESS=1 PIP_NO_CACHE_DIR=1 \
    && export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    && if [ -s /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca PIP_CERT=/run/secrets/ca; fi \
    && python3 -m venv /tmp/tools \
    && /tmp/tools/bin/python -m pip install --quiet --require-hashes -r /opt/build/tools.txt \
    && python3 -m venv --without-pip /opt/phase2 \
    && if [ -z "${TORCH_INDEX}" ]; then \
         cp /opt/build/train.txt /tmp/others.txt; \
       else \
         awk '/^[^ ]/ { torch = /^(torch==|triton==|nvidia-|cuda-)/ } !torch' /opt/build/train.txt > /tmp/others.txt; \
         version="$(sed -n 's/^torch==\([^ ;]*\).*/\1/p' /opt/build/train.txt)"; \
         echo "torch==${version}+cpu${TORCH_HASH:+ --hash=${TORCH_HASH}}" > /tmp/torch.txt; \
         /tmp/tools/bin/uv pip install --python /opt/phase2/bin/python --compile-bytecode --no-deps \
           --default-index "${TORCH_INDEX}" -r /tmp/torch.txt; \
       fi \
    && /tmp/tools/bin/uv pip install --python /opt/phase2/bin/python --compile-bytecode --no-deps \
       --require-hashes -r /tmp/others.txt \
    && python3 -B /opt/build/slim_environment.py /opt/phase2 --cpu \
    && rm -rf /tmp/tools /tmp/uv-* /tmp/others.txt /tmp/torch.txt
USER 10001:10001

# ---- source: phase2 itself, in a tree of its own to lay over the dependencies ----
FROM builder AS source
COPY constraints/dev.txt constraints/
COPY LICENSE README.md pyproject.toml ./
COPY src src
# The commit is written into a file as well: buildah 1.28 takes an image of another commit for this one otherwise.
ARG REVISION=
RUN --mount=type=secret,id=ca \
    if [ -s /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca PIP_CERT=/run/secrets/ca; fi \
    && /opt/tools/bin/uv build --quiet --wheel --out-dir dist --require-hashes --build-constraints constraints/dev.txt \
    && python3 -m venv --without-pip /opt/phase2 \
    && /opt/tools/bin/uv pip install --python /opt/phase2/bin/python --compile-bytecode --no-deps dist/*.whl \
    && rm -r /opt/phase2/include /opt/phase2/bin/python* /opt/phase2/bin/*ctivate* /opt/phase2/pyvenv.cfg /opt/phase2/lib64 \
       /opt/phase2/.lock \
    && echo "${REVISION}" > /opt/phase2/revision

# ---- cpu: --target cpu ----
FROM cpu-dependencies AS cpu
COPY --from=source /opt/phase2 /opt/phase2
ARG VERSION=unknown
ARG REVISION=
ARG SOURCE=unknown
ENV PHASE2_COMMIT=${REVISION}
LABEL org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"

# ---- gpu: the default, since it comes last ----
FROM gpu-dependencies AS gpu
COPY --from=source /opt/phase2 /opt/phase2
ARG VERSION=unknown
ARG REVISION=
ARG SOURCE=unknown
ENV PHASE2_COMMIT=${REVISION}
LABEL org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
