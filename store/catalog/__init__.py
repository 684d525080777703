"""The tables of the catalogue, the database engine, the migrations, and the SQL functions."""
