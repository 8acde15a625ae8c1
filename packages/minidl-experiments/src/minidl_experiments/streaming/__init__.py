"""Training on tables that are larger than the memory: Parquet files and memory maps, piece by piece."""
