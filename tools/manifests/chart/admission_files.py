"""The admission policies that the chart loads, one object per file.

``templates/admission.yaml`` sets what values change.
"""

from tools.manifests.admission.files import policies
from tools.manifests.yaml_text import Manifest


def admission_files() -> dict[str, Manifest]:
    """Return every policy, by the path of its file in the chart."""
    return {f"files/admission/{one['kind'].lower()}-{one['metadata']['name']}.yaml": one for one in policies()}
