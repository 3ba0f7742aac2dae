"""``python -m seshat`` is ``seshat``."""

from seshat.cli import main

if __name__ == "__main__":
    main()
