"""Arrays of both libraries: backends, checks of arguments, stable functions, samples."""
