"""The parts of the site that its build generates from the code and from kept runs: tables, figures and drawings."""
