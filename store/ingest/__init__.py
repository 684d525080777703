"""How files enter the catalogue: reconcile a scan with it, then write batches of results."""
