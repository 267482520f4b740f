"""What quotas mean for requests: who is counted, at which cost, and what a refused client is told."""
