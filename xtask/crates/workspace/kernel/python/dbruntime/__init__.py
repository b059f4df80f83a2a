"""The part of Databricks' runtime package that stock MLflow asks for."""
