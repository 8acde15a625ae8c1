"""What the build of the site makes itself: tables, figures and drawings, all from the code and from its latest runs."""
