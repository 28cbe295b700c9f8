"""Tune a method one variable at a time: short trainings, a decision against seed noise, a study that can be killed."""
