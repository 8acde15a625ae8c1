"""What a training needs to go on in another process as if it had not ended."""
