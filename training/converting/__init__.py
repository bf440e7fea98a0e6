"""Checkpoints in other formats as safetensors."""
