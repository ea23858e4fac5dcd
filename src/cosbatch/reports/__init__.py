"""What a job proves: results become report rows, parts of them become the report in the user's bucket."""
