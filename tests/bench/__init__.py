"""What fsnats costs on this machine: `make bench`.  Benchmarks report; nothing here passes or fails."""
