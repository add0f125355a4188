"""`python -m campaigns` is `campaigns`."""

from campaigns.cli import main

main()
