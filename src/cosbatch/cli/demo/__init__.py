"""What a newcomer can look at without a store of his own.

``cosbatch demo``: a real job on a real store, from an inventory to a report that is held against the bucket.
``cosbatch serve --demo-store``: such a store beside the service. ``cosbatch demo-console``: that, with jobs in it.
"""
