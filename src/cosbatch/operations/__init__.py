"""What can be done to an object: one file for each operation, one registry entry each."""
