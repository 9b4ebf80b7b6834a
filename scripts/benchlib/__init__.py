"""The parts of `scripts/bench`: the stage it plays on, what it measures, how it reports."""
