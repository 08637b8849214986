"""Terms of the pages are spelled one way, as their owners and the glossary spell them."""

import re

import pytest

from tools.generated import ROOT
from tools.prose import pages

TERMS = {
    r"[Dd]atasets?": "data set",
    r"Github|GITHUB": "GitHub",
    r"kubernetes|K8s|k8s": "Kubernetes",
    r"[Pp]ytorch|Pytorch": "PyTorch",
    r"Minio|MINIO": "MinIO",
    r"Mlflow|MLFlow": "MLflow",
    r"Tensorboard|tensorboard": "TensorBoard",
    r"sha-?256|Sha-?256": "SHA-256",
    r"fine tun(?:e|ing)|finetun(?:e|ing)": "fine-tune, fine-tuning",
    r"hyper-parameters?": "setting",
    r"[Nn]eighbors?": "neighbour",
    r"[Oo]ptimizers?": "optimiser",
    r"[Nn]ormaliz\w+": "normalise",
    r"behavior": "behaviour",
    r"[Cc]olor": "colour",
    r"workflow template": "WorkflowTemplate",
}


def prose(text):
    """A page without code, addresses and comments."""
    blocks = re.sub(r"```.*?```|<!--.*?-->|`[^`]*`", " ", text, flags=re.DOTALL)
    return re.sub(r"\]\([^)]*\)|https?://\S+|^\[[^\]]+\]: .*$", " ", blocks, flags=re.MULTILINE)


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_terms_are_spelled_as_in_the_glossary(page):
    text = prose(page.read_text(encoding="utf-8"))
    found = {
        word: right for wrong, right in TERMS.items() for word in re.findall(rf"(?<![\w./-])(?:{wrong})(?![\w/])", text)
    }
    assert found == {}


def test_a_wrong_term_is_noticed_and_code_is_left_alone():
    assert "dataset" not in prose("A data set, `dataset`, [a](dataset.md)\n```python\ndataset\n```")
    assert "dataset" in prose("A dataset")
