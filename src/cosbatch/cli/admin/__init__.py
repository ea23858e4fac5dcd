"""``cosbatch admin``: what the operator does on the service's own host."""
