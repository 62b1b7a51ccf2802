"""Measurements of one object in an image by the derivatives of its formula.

1. `noise` reads the noise of an image; `model` has the image of an object and its derivatives.
2. `fisher` returns the Fisher matrix: the smallest errors that any method can reach.
3. `start` estimates parameters from moments of an image; `bounds` keeps them within their ranges.
4. `fit` fits an object to images.
"""
