"""Metrics, floors, significance, slices and the report."""
