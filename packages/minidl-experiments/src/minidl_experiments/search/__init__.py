"""Search for good settings of networks for tables: a grid, random draws, or Optuna, scored by cross-validation."""
