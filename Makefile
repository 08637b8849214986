# `make` alone explains itself.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

# `make run` trains this on the embedded sample: the best table a laptop reaches in a few minutes.
DATA ?= sample
RUN ?= --algorithm e3nn --level smoke --epochs 40 --batch-size 32 --lr 5e-3 --max-samples 10000

# How often `make test-faults` injects each fault.
FAULT_ROUNDS ?= 1

# Warnings are errors (never with --quiet, which hides them from --strict as well): dead links and anchors, pages that the index (docs/README.md) lacks.
SITE = NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

# What CI leaves out of the tests here and on the cluster: `make test` and the targets of the cluster run all.
BUT =

# The tests that `make coverage` runs.
COVER ?= not slow and not faults and not cluster and not browser

export WHEELS BUILDER IMAGE TARGET BASE_IMAGE CA_BUNDLE ENGINE TORCH_INDEX TORCH_HASH

.PHONY: help
help: ## List the targets
	@awk -F':.*## ' '/^##@ /{printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Begin
$(READY): constraints/dev.txt constraints/chgnet.txt constraints/tools.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("phase2 needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r constraints/tools.txt
	$(BIN)/uv pip install --python $(BIN)/python --quiet --compile-bytecode --require-hashes -r constraints/dev.txt
	$(BIN)/uv pip install --python $(BIN)/python --quiet --compile-bytecode --no-deps --require-hashes -r constraints/chgnet.txt
	$(BIN)/uv pip install --python $(BIN)/python --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: setup
setup: $(READY) ## Install everything into .venv, from pinned and hashed packages

.PHONY: run
run: setup ## Train on the embedded sample of real crystals and show the result
	$(BIN)/phase2 train $(RUN)

.PHONY: clean
clean: ## Remove the environment and caches (never runs or data)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist

##@ Work on it
.PHONY: test-fast
test-fast: setup ## Run the tests that take a second or two each
	$(BIN)/python -m pytest -n auto -m 'not slow and not faults and not cluster and not browser'

.PHONY: lint
lint: setup ## Check style, types, layers, prose, scripts, manifests, and that generated files are new
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy src tools bench scripts tests
	$(BIN)/lint-imports
	$(BIN)/python -m tools.prose --check
	$(BIN)/python -m tools.reference --check
	$(BIN)/python -m tools.manifests.argo --check
	$(BIN)/python -m tools.manifests.admission --check
	$(BIN)/python -m tools.manifests.chart --check
	$(BIN)/python -m tools.manifests.storage --check
	$(BIN)/python -m tools.manifests.trainjob --check
	$(BIN)/python -m tools.web_assets --check
	$(BIN)/hadolint Dockerfile
	$(BIN)/shellcheck scripts/*.sh k8s/kind/*.sh .ci/run
	$(BIN)/python -m tools.manifests.check_overlays
	$(BIN)/python -m tools.manifests.check_chart
	$(BIN)/python -m tools.pictures --check
	$(SITE)

.PHONY: format
format: setup ## Format code and wrap prose
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python -m tools.prose

.PHONY: reference
reference: setup ## Generate the reference pages, the Argo manifests and the chart from the code
	$(BIN)/python -m tools.reference
	$(BIN)/python -m tools.manifests.argo
	$(BIN)/python -m tools.manifests.admission
	$(BIN)/python -m tools.manifests.chart
	$(BIN)/python -m tools.manifests.storage
	$(BIN)/python -m tools.manifests.trainjob

.PHONY: docs
docs: setup ## Build the documentation site into build/site, which opens from the disk (build/site/index.html)
	$(SITE)

.PHONY: pictures
pictures: setup ## Draw the pictures of docs/images from a run of `make run` (PICTURES="--run RUN NAME" for one)
	$(BIN)/python -m tools.pictures $(PICTURES)

.PHONY: hooks
hooks: setup ## Let git run the quick checks on each commit (pre-commit)
	$(BIN)/pre-commit install

.PHONY: lock
lock: setup ## Pin every dependency again, with hashes
	$(BIN)/python -m tools.lock

##@ Test
.PHONY: test
test: setup ## Run all tests but those that inject faults or need a cluster or a browser
	$(BIN)/python -m pytest -n auto -m 'not faults and not cluster and not browser$(BUT)'

.PHONY: test-faults
test-faults: setup ## Kill, fill, cut off and damage whatever a run depends on, and count it (FAULT_ROUNDS=5 for more)
	PHASE2_FAULT_ROUNDS=$(FAULT_ROUNDS) $(BIN)/python -m pytest -n auto tests/faults -m faults

# The browser of the tests: `required` fails where there is none, anything else skips.
BROWSER = required

.PHONY: test-browser
test-browser: setup ## Drive reports and pages in a real Chromium (installs Debian's where it is missing and you are root)
	@type -P chromium chromium-browser google-chrome >/dev/null || [ "$$(id -u)" != 0 ] \
	  || { apt-get update -qq && apt-get install -qq --yes --no-install-recommends chromium; } || true
	PHASE2_BROWSER=$(BROWSER) $(BIN)/python -m pytest tests/browser

.PHONY: test-pages
test-pages: setup ## Run the commands of the README, the tutorials and the how-tos, as a reader would
	$(BIN)/python -m tools.commands.run $(PAGES)

.PHONY: coverage
coverage: setup ## Show which lines and branches tests reach, here and in build/coverage/html (COVER= for other tests)
	rm -rf build/coverage && mkdir -p build/coverage
	$(BIN)/coverage run -m pytest -n auto -m '$(COVER)'
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage html --quiet
	$(BIN)/coverage report

.PHONY: ci
ci: FAULT_ROUNDS = 0.1
ci: BROWSER = tried
ci: BUT = $() and not slow
ci: lint test run test-browser test-faults test-pages test-kubernetes ## What continuous integration runs

##@ Test on Kubernetes (needs root and Go; with Docker, kind)
ON_CLUSTER = PHASE2_CLUSTER=required $(BIN)/python -m pytest tests/on_cluster

.PHONY: test-cluster test-argo test-chart
test-cluster: setup ## Run pods on a real Kubernetes on this machine, and break what they depend on
	$(ON_CLUSTER) -m 'cluster and not argo and not chart$(BUT)'
test-argo: setup ## Run workflows on that Kubernetes with a real Argo
	$(ON_CLUSTER) -m 'argo$(BUT)'
test-chart: setup ## Install, upgrade and remove the Helm chart on that Kubernetes
	$(ON_CLUSTER) -m 'chart$(BUT)'

.PHONY: test-kubernetes
test-kubernetes: setup ## Run the three suites on one cluster, one after another
	$(ON_CLUSTER) -m 'cluster$(BUT)'

.PHONY: cluster-up cluster-down
cluster-up: setup ## Bring up the Kubernetes of the tests and leave it running
	PYTHONPATH=src $(BIN)/python -m tests.on_cluster up
cluster-down: setup ## Stop it, and leave nothing but what was built
	PYTHONPATH=src $(BIN)/python -m tests.on_cluster down

.PHONY: kind-up kind-test kind-down
kind-up: setup ## Bring up a Kubernetes of kind with MinIO and the image
	PYTHON=$(BIN)/python k8s/kind/up.sh
kind-test: setup ## Run the tests of the cluster on it, but for those that break the node itself
	PYTHON=$(BIN)/python k8s/kind/test.sh
kind-down: ## Remove it again
	k8s/kind/down.sh

##@ Measure
.PHONY: bench
bench: setup ## Measure speed and memory against baselines in the same run
	$(BIN)/python -m bench --data $(DATA)

.PHONY: seeds
seeds: setup ## Train what `make run` trains with three seeds: the table of docs/benchmarks/sample.md
	$(BIN)/python -m bench.seeds $(RUN)

.PHONY: gpu-pack gpu-check
gpu-pack: setup ## Pack the crystals that gpu-check reads into build/gpu-crystals.npz
	$(BIN)/python -m bench.gpu.pack
gpu-check: ## Check and measure on one NVIDIA GPU, with torch, e3nn, numpy and pydantic alone (CHECK="--device cpu --quick")
	PYTHONPATH=src $(or $(wildcard $(BIN)/python),$(PYTHON)) -m bench.gpu $(CHECK)

##@ Package
.PHONY: image
image: ## Build the image with docker, podman or buildah (IMAGE=, TARGET=gpu|cpu, BASE_IMAGE=, CA_BUNDLE=)
	scripts/build_image.sh

.PHONY: chart
chart: setup ## Package the Helm chart into dist, for the image of IMAGE=...@sha256:...
	$(BIN)/python -m tools.manifests.chart.package

.PHONY: chart-push
chart-push: setup ## Package the chart and push it as an OCI artifact (REGISTRY=oci://..., IMAGE=...@sha256:..., PLAIN_HTTP=1)
	REGISTRY='$(REGISTRY)' PLAIN_HTTP='$(PLAIN_HTTP)' $(BIN)/python -m tools.supply.push_chart

.PHONY: wheel
wheel: setup ## Build the wheel into dist, with the pinned builder
	$(BIN)/uv build --quiet --wheel --out-dir dist --require-hashes --build-constraints constraints/dev.txt

.PHONY: sbom
sbom: setup ## Write bills of materials (CycloneDX) into dist: of the wheel, and with IMAGE= of an image
	$(BIN)/python -m tools.supply.sbom

.PHONY: provenance
provenance: setup ## Write SLSA provenance of the wheel and chart in dist, and with IMAGE=...@sha256:... of an image
	$(BIN)/python -m tools.supply.provenance

.PHONY: airgap
airgap: setup ## Bundle what an offline cluster needs into dist/airgap (IMAGE=...@sha256:..., WHEELS=train|cluster, AIRGAP=--list)
	$(BIN)/python -m tools.supply.airgap $(AIRGAP)
