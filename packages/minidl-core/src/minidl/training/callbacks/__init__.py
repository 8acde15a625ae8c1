"""What happens between the epochs of `fit`."""
