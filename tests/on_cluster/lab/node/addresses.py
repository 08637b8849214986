"""Names and addresses of the cluster; all of them on loopback or on a bridge of this machine."""

NODE = "phase2-node"
NETWORK = "phase2-tests"
BRIDGE = "phase2cni0"

NODE_ADDRESS = "10.244.0.1"
"""The bridge's own address: the node's, and that of its name server."""
POD_NETWORK = "10.244.0.0/24"
SERVICE_NETWORK = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"
MINIO_SERVICE = "10.96.0.90"

API_SERVER = "https://127.0.0.1:6443"
ETCD = "http://127.0.0.1:2379"
ETCD_PEER = "http://127.0.0.1:2380"
REGISTRY = "localhost:5000"
"""containerd and buildah speak plain HTTP with this name and no other."""
