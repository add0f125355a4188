"""Delivery: from due messages to their outcomes, at a pace, without knowing any engine."""
