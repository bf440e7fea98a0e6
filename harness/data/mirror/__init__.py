"""Fill a mirror folder, for machines without a network."""
