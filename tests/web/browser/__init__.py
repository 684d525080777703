"""A package, so that fixtures of that scope end with it: Playwright keeps an event loop running in this thread."""
