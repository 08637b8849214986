# The image that trains: `make image`, or docs/how-to/container-image.md. Builds with docker (BuildKit), podman and buildah.
#
# Any base with Python 3.11 to 3.13, the module venv and an up-to-date libstdc++ serves; the last stage starts from the
# same one, since the environment points to the base's interpreter. Pin a digest where builds must repeat bit for bit.
ARG BASE_IMAGE=docker.io/library/python:3.13.11-slim-trixie

# ---- builder: what installs, and is left behind ----
FROM ${BASE_IMAGE} AS builder
WORKDIR /build
ENV UV_NO_CACHE=1 UV_NO_PROGRESS=1 UV_PYTHON_DOWNLOADS=never PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# Behind a proxy that opens TLS, its certificates come as a secret with the id `ca`, or as a mount over /etc/ssl/certs.
# Either is there while a command runs and in no layer.
COPY constraints/tools.txt constraints/
RUN --mount=type=secret,id=ca,target=/run/secrets/ca.crt \
    for bundle in /run/secrets/ca.crt /etc/ssl/certs/ca-certificates.crt; do \
      if [ -s "$bundle" ]; then export SSL_CERT_FILE="$bundle" PIP_CERT="$bundle"; break; fi; \
    done \
    && python3 -m venv /opt/tools \
    && /opt/tools/bin/python -m pip install --quiet --require-hashes -r constraints/tools.txt

# ---- dependencies: gigabytes that change only with the constraints ----
FROM builder AS dependencies
COPY constraints/train.txt constraints/
RUN --mount=type=secret,id=ca,target=/run/secrets/ca.crt \
    for bundle in /run/secrets/ca.crt /etc/ssl/certs/ca-certificates.crt; do \
      if [ -s "$bundle" ]; then export SSL_CERT_FILE="$bundle"; break; fi; \
    done \
    && python3 -m venv --without-pip /opt/phase2 \
    && /opt/tools/bin/uv pip install --python /opt/phase2/bin/python --compile-bytecode --require-hashes \
       -r constraints/train.txt \
    && rm /opt/phase2/.lock

# ---- source: phase2 itself, in a tree of its own that is laid over the dependencies ----
FROM builder AS source
COPY constraints/dev.txt constraints/
COPY LICENSE README.md pyproject.toml ./
COPY src src
RUN --mount=type=secret,id=ca,target=/run/secrets/ca.crt \
    for bundle in /run/secrets/ca.crt /etc/ssl/certs/ca-certificates.crt; do \
      if [ -s "$bundle" ]; then export SSL_CERT_FILE="$bundle"; break; fi; \
    done \
    && /opt/tools/bin/uv build --quiet --wheel --require-hashes --build-constraints constraints/dev.txt --out-dir dist \
    && python3 -m venv --without-pip /opt/phase2 \
    && /opt/tools/bin/uv pip install --python /opt/phase2/bin/python --compile-bytecode --no-deps dist/*.whl \
    && rm -rf /opt/phase2/bin/python* /opt/phase2/bin/*ctivate* /opt/phase2/pyvenv.cfg /opt/phase2/lib64 /opt/phase2/.lock

# ---- runtime: what both images share ----
FROM ${BASE_IMAGE} AS runtime
# A name for the numeric user: libraries that ask who runs them would fail without one.
RUN echo 'phase2:x:10001:10001:phase2:/tmp:/usr/sbin/nologin' >> /etc/passwd \
    && echo 'phase2:x:10001:' >> /etc/group \
    && install -d -o 10001 -g 10001 /work
ENV PATH=/opt/phase2/bin:$PATH \
    HOME=/tmp \
    USER=phase2 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PHASE2_CACHE_DIR=/work/cache \
    MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /work
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["phase2"]

# ---- gpu: the default ----
FROM runtime AS gpu
COPY --from=dependencies /opt/phase2 /opt/phase2
COPY --from=source /opt/phase2 /opt/phase2
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=unknown
ENV PHASE2_COMMIT=${REVISION}
LABEL org.opencontainers.image.title="phase2" \
      org.opencontainers.image.description="Multi-task models of material properties" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
