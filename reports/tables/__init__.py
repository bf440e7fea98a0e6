"""The tables that the verbs print, a module for each verb. They arrange what was measured, and measure nothing."""
