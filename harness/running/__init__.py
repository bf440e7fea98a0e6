"""From targets to results."""
