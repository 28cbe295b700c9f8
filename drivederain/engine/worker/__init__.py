"""Work that is done in a process of its own: restoring with one method, scoring, training.

messages.py     what the run and a worker say to each other
restoring.py    decode ahead -> compute -> encode and store, with one loaded method
scoring.py      the metrics of all outputs of one picture
training.py     the training of one stage
serve.py        what the spawned process runs
process.py      spawning, watching and killing it
inline.py       the same work in this process, for tests, notebooks and debugging
supervisor.py   limits of time and memory, deaths, and trying again
"""
