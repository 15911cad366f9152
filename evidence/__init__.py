"""The memory of the exam day: the only package that opens a database or an evidence file."""
