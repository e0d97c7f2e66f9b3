"""`python -m webhook_app` is `sudare`."""

from webhook_app.terminal.sudare import main

main()
