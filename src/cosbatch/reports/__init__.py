"""The proof: part files while a job runs, the report and its summary at the end."""
