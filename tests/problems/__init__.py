"""What the tests fit and call: problem sets, matrices and vectors, hostile functions, paths through the extension."""
