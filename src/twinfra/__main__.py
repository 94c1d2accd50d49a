"""`python -m twinfra` is the same as the command `twinfra`."""

from twinfra.cli.main import main

if __name__ == "__main__":
    main()
