"""Competitions: tables, bundles, offline notebooks."""
