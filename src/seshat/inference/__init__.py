"""The Translator seam and the engines behind it."""
