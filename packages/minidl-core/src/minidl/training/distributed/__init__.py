"""One network trained by several processes, each of which computes a share of every batch."""
