"""What MLPerf is, and every question we ask of its results; usable from a notebook, without Streamlit."""
