"""The limits on what people and departments may send; intake, gate and desk enforce the same ones.

Limits on texts count characters, and Kafka and the store count bytes. In JSON a character takes 6 bytes at most (a
control character is `\\u0001`), in the store 4. So the largest message of all, `resident.told` with an answer, has

    3 x 20 parts x 20,000 characters x 6     = 7,200,000   the whole reply twice, and its paragraphs
    4 x 20 parts x  2,000 characters x 6     =   960,000   the departments' names: beside these three, and in the list
    (20,000 + 200) x 6                       =   121,200   the message that is answered, and its subject

bytes, and some hundreds for everything else: the 8 MiB of `residents.inbox` hold it. A decision keeps such a text once,
as words, and refers to it. Where no reference can be found, because one text stands inside another, it holds those 8 MiB
and its words, of at most 1 MiB: less than the 16 MiB of a document. The largest input is a contribution with 50 notes, of
which an outbox takes 1 MiB. `tests/domain/test_sizes.py` builds all of these.

Whatever would exceed this all the same is refused by the core, never parked.
"""

SUBJECT_MAX = 200
BODY_MAX = 20_000
TEXT_MAX = 20_000
DEPARTMENTS_MAX = 20
NAME_MAX = 2_000
"""Of a department's name in one language."""
CHARACTER_BYTES = 6
"""As JSON; 4 in the store."""
ANSWER_BYTES_MAX = CHARACTER_BYTES * (
    3 * DEPARTMENTS_MAX * TEXT_MAX + 4 * DEPARTMENTS_MAX * NAME_MAX + BODY_MAX + SUBJECT_MAX
)
"""Of the largest message to a resident, but for what is the same in all of them."""
ENVELOPE_BYTES = 65_536
"""More than key and headers of a message take, and what is the same in all of its kind."""
MESSAGE_BYTES_MAX = ANSWER_BYTES_MAX + ENVELOPE_BYTES
"""Of the value of a message that the core publishes."""
DOCUMENT_BYTES_MAX = 15 * 1_048_576
"""Of the texts of a document; the store takes 16 MiB with the names of its fields."""
