"""Object stores and the spool: the port, its adapters, and the one hot path (HTTP client and template signer)."""
