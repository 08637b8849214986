"""A namespace under the policies, and the people who send requests to it."""

import pytest
from tests.on_cluster.admission.namespaces import IMAGE, NAMESPACE, admission, run
from tests.on_cluster.admission.requests import (
    ADMINISTRATORS,
    ALICE,
    BOB,
    MAINTAINERS,
    SUBMITTERS,
    Person,
)


@pytest.fixture(scope="session")
def policies(cluster, tmp_path_factory):
    """The policies, in force."""
    with admission(cluster, tmp_path_factory.mktemp("admission"), components=("policy",)):
        submitter = Person(cluster.api, NAMESPACE, ALICE, SUBMITTERS)
        stranger = run(image="elsewhere/phase2:1")
        # A policy is in force some moments after it was created.
        cluster.wait(lambda: "not approved" in (submitter.create(stranger) or ""), "the policy of Jobs", "apiserver")
        administrator = Person(cluster.api, NAMESPACE, "root", ADMINISTRATORS)
        forged = run()
        forged["metadata"]["annotations"]["phase2.dev/owner"] = BOB
        cluster.wait(lambda: "says bob" in (submitter.create(forged) or ""), "the policy of owners", "apiserver")
        assert administrator.create(run(image=f"{IMAGE}:1")) is None
        yield


@pytest.fixture(scope="session")
def person(cluster, policies):
    """Return somebody by name and group."""
    return lambda name, group=None: Person(cluster.api, NAMESPACE, name, group)


@pytest.fixture(scope="session")
def alice(person):
    """A person who may submit."""
    return person(ALICE, SUBMITTERS)


@pytest.fixture(scope="session")
def bob(person):
    """Another person who may submit."""
    return person(BOB, SUBMITTERS)


@pytest.fixture(scope="session")
def maintainer(person):
    """A person who may stop and delete what is others'."""
    return person("carol@example.com", MAINTAINERS)


@pytest.fixture(scope="session")
def administrator(person):
    """Who may do everything."""
    return person("root", ADMINISTRATORS)
