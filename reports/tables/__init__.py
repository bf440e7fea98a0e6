"""The tables that the commands print, a module for each command. They measure nothing."""
