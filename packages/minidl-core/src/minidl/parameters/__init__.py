"""Where parameters live: one buffer for a tree of modules, and the tree as data."""
