"""The recipe of the built-in model `mini`: prepare, train, export, evaluate. Never imported by the product."""
