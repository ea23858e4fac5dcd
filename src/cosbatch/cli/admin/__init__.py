"""``cosbatch admin``: what the operator does on the service's own host, and admins over the network."""
