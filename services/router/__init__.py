"""The router: the gate takes departments' messages, the core makes one decision for each input, the desk serves staff.

reads    inquiries.inputs (router-core) · departments.*.outbox (router-gate) · inquiries.events (router-cases)
         router.replays · city.directory
writes   departments.<code>.inbox · residents.inbox · inquiries.events · inquiries.inputs · city.directory · router.dead-letters
         <service>.replays
stores   chorus_router: decisions, progress, published, cases, commands, unpublished, revisions, parked, letters, letters_read,
         tombstones, timers, users, user_tokens, audit, search, search_pending, worklist
"""
