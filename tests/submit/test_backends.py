"""The contract of backends, on this machine and on a cluster that only stores what it is given."""

import pytest

from .backend_contract import BackendContract, ClusterContract
from .places import JobPlace, LocalPlace, WorkflowPlace
from .stored_api import install_templates


class TestJob(ClusterContract):
    @pytest.fixture
    def place(self, say, api):
        return JobPlace(say, api)


class TestWorkflow(ClusterContract):
    @pytest.fixture
    def place(self, say, api):
        install_templates(api)
        return WorkflowPlace(say, api)


@pytest.mark.slow
class TestLocal(BackendContract):
    @pytest.fixture
    def place(self, say, graphs, monkeypatch, tmp_path):
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))  # no cluster is asked
        monkeypatch.setenv("PHASE2_STORE", str(tmp_path / "store"))
        monkeypatch.setenv("PHASE2_CACHE_DIR", graphs)
        made = LocalPlace(say)
        yield made
        made.clear()
