"""Scans and recordings: read by machines, reviewed by people, and never trusted before."""
