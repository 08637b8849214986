"""Settings of the whole test suite, and the real servers that several parts of it need."""

import os

from hypothesis import settings

from phase2.testing.stores.s3_fixtures import bucket_on, minio, new_store, seaweedfs, server

__all__ = ["bucket_on", "minio", "new_store", "seaweedfs", "server"]

# Before torch is imported anywhere: two test processes on two cores must not wait for each other by spinning.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Before triton is: its interpreter runs the fused kernels on the CPU.
os.environ.setdefault("TRITON_INTERPRET", "1")

# The same examples in every run of continuous integration: a failure there is the change's, not the dice's.
# No deadlines: how long an example takes is the machine's affair.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("developer", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "developer")
