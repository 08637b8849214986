"""The files that the chart loads: Argo's templates and their admission policies, one object per file.

The templates hold tags of Argo in double braces, which Helm would take for its own. The policies hold closed lists of
the levels table. Every other object of the chart is a plain template of Helm.
"""

from tools.manifests.argo.files import manifests_by_file
from tools.manifests.yaml_text import Manifest

_LOADED = ("WorkflowTemplate", "ValidatingAdmissionPolicy")


def argo_files() -> dict[str, Manifest]:
    """Return every object that is loaded, by the path of its file in the chart."""
    manifests = [one for documents in manifests_by_file().values() for one in documents]
    return {_path(one): one for one in manifests if one["kind"] in _LOADED}


def _path(manifest: Manifest) -> str:
    return f"files/argo/{manifest['kind'].lower()}-{manifest['metadata']['name']}.yaml"
