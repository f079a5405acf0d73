"""The scorer: stores each event once, and scores every department by its clocks and by residents' ratings.

reads    inquiries.events (scorer) · scorer.replays · city.directory
writes   scorer.dead-letters
stores   chorus_scorer: events, tombstones
"""
