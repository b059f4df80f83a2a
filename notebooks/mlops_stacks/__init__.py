"""What the notebooks beside this package call. They stay thin; the code and its tests are here.

columns.py says what the data are and what is predicted, thresholds.toml which limits hold: begin there. Of this project's
data speak besides them only data (what makes the data sets), cleaning, features and baseline. All other modules know neither
the data nor the kind of task. In the order of the pipeline: ingest, training (with tree_model), validation, deployment,
inference, monitoring. records names every tag that is written on the way.
"""
