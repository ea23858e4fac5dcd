"""The truth about jobs: who holds what, what is settled, what every job has come to."""
