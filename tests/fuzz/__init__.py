"""Random cases: families of problems, strategies that draw them, and the engine that runs both libraries on them."""
