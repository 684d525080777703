"""The recipe of the built-in model `mini`: prepare, train, export, evaluate. The product does not import it."""
