"""What the tests compare with: the original MINPACK, and exact arithmetic."""
