"""One function per file format: a path in, records and rejects out."""
