"""Runs one Databricks source notebook, or one Python file, in IPython and reports what happens as JSON lines."""
