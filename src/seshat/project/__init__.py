"""The folder of a language: its paths, where its results come from, what the machine can do."""
