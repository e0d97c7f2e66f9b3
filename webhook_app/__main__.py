"""`python -m webhook_app` is `sudare`."""

from webhook_app.terminal import main

main()
