"""Runs one Databricks source notebook in IPython and reports what happens as JSON lines."""
