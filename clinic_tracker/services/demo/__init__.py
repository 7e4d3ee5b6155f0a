"""Synthetic clinics for demonstration and training: deterministic, plausible, and nobody in them exists."""
