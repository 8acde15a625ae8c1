"""The solutions, one file for each exercise; they are read as text, and their docstrings are the statements."""
