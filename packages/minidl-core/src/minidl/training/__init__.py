"""Training, evaluation and prediction, and the engines that run them."""
