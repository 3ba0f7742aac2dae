"""The API and the web page on a trained model.

:mod:`seshat.serving.service` holds what they do, without HTTP; :mod:`seshat.serving.app` is the API.
"""
