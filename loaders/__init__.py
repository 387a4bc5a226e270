"""Bytes to rows to DuckDB: the only room that reads files, archives and the network, and the only one that writes."""
