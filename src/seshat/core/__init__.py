"""The ground: records, files, errors, processes, progress, logs. Knows nothing of a project."""
