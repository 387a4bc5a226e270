"""Shared Streamlit pieces: navigation, session, filters, tables, errors on screen. No SQL, no file formats."""
