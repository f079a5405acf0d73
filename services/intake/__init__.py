"""Intake: a resident's message comes in once, from any channel, and its resident sees what becomes of it.

reads    residents.inbox (intake) · intake.replays · city.directory
writes   inquiries.inputs · intake.dead-letters
stores   chorus_intake: ledger, unpublished, tickets, directory, tombstones
"""
