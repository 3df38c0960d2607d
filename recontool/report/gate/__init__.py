"""A gate's outcome on the terminal and in the files that build servers read."""
