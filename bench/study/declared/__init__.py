"""The declared studies."""

from bench.study.declared.jarvis_dft import JARVIS_DFT
from bench.study.declared.learning_curve import LEARNING_CURVE
from bench.study.declared.materials_project import MATERIALS_PROJECT
from bench.study.declared.network import NETWORK
from bench.study.declared.sharing import SHARING
from bench.study.rows import Study

STUDIES: dict[str, Study] = {
    study.name: study for study in (SHARING, NETWORK, MATERIALS_PROJECT, LEARNING_CURVE, JARVIS_DFT)
}
