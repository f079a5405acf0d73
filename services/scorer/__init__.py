"""The scorer: inserts each event once, and measures every department by the clock and by the resident's word.

reads    inquiries.events (scorer) · scorer.replays · city.directory
writes   scorer.dead-letters
stores   chorus_scorer: events, tombstones
"""
