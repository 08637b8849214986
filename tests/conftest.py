"""Settings of the whole test suite."""

import os

# Before torch is imported anywhere: two test processes on two cores must not wait for each other by spinning.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
