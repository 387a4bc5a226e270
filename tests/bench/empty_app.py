"""The emptiest Streamlit app that answers a choice: one select box, one chart of 20 bars."""

import plotly.graph_objects as go
import streamlit as st

chosen = st.selectbox("Series", range(1, 9))
st.plotly_chart(go.Figure(go.Bar(y=[(chosen * bar) % 23 + 1 for bar in range(20)])))
