"""External cluster, such as one of kind, with its own image and store.

``PHASE2_CLUSTER=given`` selects it. ``KUBECONFIG`` names its kubeconfig (the namespace of its context is ``phase2``),
``PHASE2_IMAGE`` the image on its node, and the ``AWS_...`` variables the address and keys of the store that its pods
know from the ConfigMap ``phase2-store``.
"""

import os

from tests.on_cluster.lab.cluster_base import ClusterBase
from tests.on_cluster.lab.services.store import ClusterStore

from phase2.testing.stores.s3_servers import S3Server

_NEEDED = ("KUBECONFIG", "PHASE2_IMAGE", "AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


class ExternalCluster(ClusterBase):
    """Cluster named by the environment."""

    def __init__(self) -> None:
        missing = [name for name in _NEEDED if not os.environ.get(name)]
        if missing:
            raise RuntimeError(f"PHASE2_CLUSTER=given needs {', '.join(missing)} in the environment.")
        super().__init__(os.environ["KUBECONFIG"])
        self.image = os.environ["PHASE2_IMAGE"]
        keys = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
        self.store = ClusterStore(S3Server(os.environ["AWS_ENDPOINT_URL_S3"], *keys))
