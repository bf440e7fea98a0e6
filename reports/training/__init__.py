"""What readers see of an adaptation: its record as values, tables, a story and pictures. Nothing is trained or measured
here; the record is a file that is read."""
