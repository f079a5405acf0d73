"""Intake: accepts each message of a resident once, from any channel, and shows the resident its status.

reads    residents.inbox (intake) · intake.replays · city.directory
writes   inquiries.inputs · intake.dead-letters
stores   chorus_intake: ledger, unpublished, tickets, directory, mails, tombstones
"""
