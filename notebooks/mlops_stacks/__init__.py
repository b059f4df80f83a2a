"""Taxi fares: what the notebooks beside this package call. They stay thin; the code and its tests are here.

Read in the order of the pipeline: data (the generator), ingest (cleaning), features and fare_model (what a model sees
and is), training, validation, deployment, inference. records names every tag that is written on the way.
"""
