"""Real stores for end-to-end tests: SeaweedFS always, Ceph where `make system-deps` has been run."""

from tests.stores import ceph_store, seaweedfs_store

__all__ = ["ceph_store", "seaweedfs_store"]
