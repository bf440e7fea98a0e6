"""The record of an adaptation: the dataclasses, and the code that reads and writes them."""
