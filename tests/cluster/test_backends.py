"""The contract of backends, on this machine and on a cluster without controllers."""

import pytest
from tests.cluster.support.backend_contract import BackendContract, ClusterContract
from tests.cluster.support.harnesses import GroupHarness, JobHarness, JobSetHarness, TrainJobHarness, WorkflowHarness
from tests.cluster.support.stored_api import install_templates


class TestJob(ClusterContract):
    @pytest.fixture
    def harness(self, cli, api):
        return JobHarness(cli, api)


class TestGroup(ClusterContract):
    @pytest.fixture
    def harness(self, cli, api):
        return GroupHarness(cli, api)


class TestJobSet(ClusterContract):
    @pytest.fixture
    def harness(self, cli, api):
        return JobSetHarness(cli, api)


class TestTrainJob(ClusterContract):
    @pytest.fixture
    def harness(self, cli, api):
        return TrainJobHarness(cli, api)


class TestWorkflow(ClusterContract):
    @pytest.fixture
    def harness(self, cli, api):
        install_templates(api)
        return WorkflowHarness(cli, api)


@pytest.mark.slow
class TestLocal(BackendContract):
    @pytest.fixture
    def harness(self, local_harness):
        return local_harness
