"""Real stores for end-to-end tests: SeaweedFS always, Ceph where `make system-deps` has been run."""

import pytest

from tests.stores import ceph_store, seaweedfs_store

__all__ = ["ceph_store", "seaweedfs_store"]

pytest.register_assert_rewrite("tests.e2e.in_place_jobs")
