"""What the tests compare, build and run with."""
