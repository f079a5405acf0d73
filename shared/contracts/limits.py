"""The limits of messages, in characters and departments; intake, gate and desk enforce the same ones.

The limits of texts count characters; Kafka and the store count bytes. In JSON a character takes at most 6 bytes (a control
character is `\\u0001`), in the store 4. So the largest message, `resident.told` with an answer, has

    3 x 20 parts x 20,000 characters x 6     = 7,200,000   the whole reply twice, and its paragraphs
    4 x 20 parts x  2,000 characters x 6     =   960,000   the departments' names: with these three, and in the list
    (20,000 + 200) x 6                       =   121,200   the message that is answered, and its subject
    3 x  2 x  1,000 characters x 6           =    36,000   the opening and the closing of the reply

bytes, and some hundreds for everything else: it fits into the 8 MiB of `residents.inbox`. A decision stores such a text
once, as words, and refers to it. Where it finds no reference, because one text contains another, it stores those 8 MiB and
its words, at most 1 MiB: less than the 16 MiB of a document. The largest input is a contribution with 50 notes, of which an
outbox accepts 1 MiB. `tests/domain/test_sizes.py` builds all of these.

The core refuses an input whose decision would exceed these limits all the same, and never parks it.
"""

SUBJECT_MAX = 200
BODY_MAX = 20_000
TEXT_MAX = 20_000
DEPARTMENTS_MAX = 20
WHY_MAX = 2_000
"""The reason for a withdrawal, a refusal or an erasure."""
FRAME_MAX = 1_000
"""The opening or the closing of a joint reply."""
ADDITION_MAX = 5_000
"""What a resident adds at one time."""
ADDITIONS_MAX = 20
"""How often a resident may add something to a ticket that nobody has asked for."""
ADDITIONS_AND_ANSWERS_MAX = 40
"""The same while a question is open. A part that is offered later carries all of it: 1,200,000 bytes."""
QUESTION_MAX = 2_000
"""A question to the resident. Each part and the desk may have one that is open."""
REASON_MAX = 2_000
"""Why a department needs more time, or does not get it."""
NAME_MAX = 2_000
"""A department's name in one language."""
CHARACTER_BYTES = 6
"""The most bytes of a character in JSON; 4 in the store."""
ANSWER_BYTES_MAX = CHARACTER_BYTES * (
    3 * DEPARTMENTS_MAX * TEXT_MAX + 4 * DEPARTMENTS_MAX * NAME_MAX + BODY_MAX + SUBJECT_MAX + 3 * 2 * FRAME_MAX
)
"""The texts of the largest message to a resident, in bytes."""
ENVELOPE_BYTES = 65_536
"""More than a message needs for its key, its headers and everything that is not text."""
MESSAGE_BYTES_MAX = ANSWER_BYTES_MAX + ENVELOPE_BYTES
"""The value of a message that the core publishes."""
DOCUMENT_BYTES_MAX = 15 * 1_048_576
"""The texts of a document; the store accepts 16 MiB, including the field names."""
REDACTED_MAX = 200
"""Characters that one redaction finds and hides."""
REPORT_MAX = 1_000
"""What a reader of the hall writes in a report."""
PERSON_MAX = 100
"""Characters in the name of a person."""
