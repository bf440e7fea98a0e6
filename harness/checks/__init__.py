"""What silently changes a score, and how it is noticed. Alarms are values with a name; nothing is repaired here."""
