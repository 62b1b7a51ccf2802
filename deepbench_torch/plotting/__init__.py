"""Figures of catalogues: galleries, time series, animations, ladders and dataset cards."""
