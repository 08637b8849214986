"""The contract of backends, on this machine and on a cluster that only stores what it is given."""

import pytest
from tests.cluster.support.backend_contract import BackendContract, ClusterContract
from tests.cluster.support.places import JobPlace, WorkflowPlace
from tests.cluster.support.stored_api import install_templates


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
    def place(self, local_place):
        return local_place
