"""What is kept: the tables, how they are written, their versions."""
