"""Taxi fares: what the notebooks beside this package call. They stay thin; the code and its tests are here.

Read in the order of the pipeline: columns and problem (what the data are and what is predicted), data (the
generator), ingest and cleaning, features and tree_model (what a model sees and is), training, validation, deployment, inference. records names every tag that is written on the way.
"""
