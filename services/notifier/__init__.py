"""The notifier: sends mail to residents and departments, and publishes answered public inquiries in the hall.

reads    residents.inbox (notifier) · inquiries.events (notifier) · notifier.replays · city.directory
writes   notifier.dead-letters
stores   chorus_notifier: deliveries, threads, subjects, addresses, limits, unmasked, hall, hall_versions, tombstones
"""
