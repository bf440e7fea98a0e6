"""The report of an adaptation: values, tables, text and plots of its record. Nothing is trained or measured here."""
