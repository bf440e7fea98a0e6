"""What was measured, as values that everything that prints takes."""
