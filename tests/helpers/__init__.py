"""Helpers with which the tests compare, build and run."""
