"""The pipeline: the table of stages, the graph that DVC keeps, and the engine that brings a project up to date.

``stages`` says what each stage reads, writes and depends on; ``graph`` writes that as ``dvc.yaml``; ``engine`` runs
what changed; ``lock`` lets one run at a time into a project.
"""
