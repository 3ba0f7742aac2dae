"""One module per data stage; ``readers`` has one file per format."""
