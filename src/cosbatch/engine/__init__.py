"""What gets the work done: planner, scheduler, worker, finisher. They meet the service in the ledger only."""
