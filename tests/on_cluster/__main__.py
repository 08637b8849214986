"""Command line of the test cluster: ``python -m tests.on_cluster up|down|status|build``."""

import argparse
import sys

from tests.on_cluster.lab import laboratory
from tests.on_cluster.lab.cluster import Cluster
from tests.on_cluster.lab.node.host import ClusterUnavailableError
from tests.on_cluster.lab.services.minio import STORE, Minio


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.on_cluster", description="The Kubernetes of the tests.")
    commands = {
        "up": ("bring it up and leave it running", _up),
        "down": ("stop it and leave nothing but what was built", _down),
        "status": ("say whether it is up", _status),
        "build": ("build its programs and images", _build),
    }
    words = parser.add_subparsers(required=True, metavar="command")
    for name, (purpose, run) in commands.items():
        words.add_parser(name, help=purpose).set_defaults(run=run)
    run = parser.parse_args().run
    cluster = Cluster()
    try:
        with laboratory.alone(cluster.folders):
            return int(run(cluster))
    except ClusterUnavailableError as error:
        print(error, file=sys.stderr)
        return 1


def _up(cluster: Cluster) -> int:
    laboratory.up(cluster)
    image = laboratory.image(cluster)
    server = Minio(cluster).server
    print(f"export KUBECONFIG={cluster.kubeconfig}")
    print(f"export PHASE2_IMAGE={image}")
    print(f"export PHASE2_STORE={STORE}")
    for name, value in server.environment.items():
        print(f"export {name}={value}")
    return 0


def _down(cluster: Cluster) -> int:
    cluster.down()
    return 0


def _build(cluster: Cluster) -> int:
    laboratory.build(cluster)
    return 0


def _status(cluster: Cluster) -> int:
    running = sorted({str(each.environ().get("PHASE2_TEST_CLUSTER_PART")) for each in cluster.processes.find()})
    print(f"{'up' if cluster.is_up() else 'down'}; processes: {', '.join(running) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
