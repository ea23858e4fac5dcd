"""``python -m cosbatch`` is ``cosbatch``."""

from cosbatch.cli.main import main

if __name__ == "__main__":
    main()
