"""``cosbatch demo``: a real job on a real store, from an inventory to a report that is held against the bucket."""
