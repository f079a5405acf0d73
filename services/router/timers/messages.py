"""The input that a timer becomes. Nothing in it depends on the process or on when it is written."""

from hashlib import sha256

from services.router.domain.timers import Timer
from shared.contracts.envelope import Message, Origin
from shared.contracts.ids import digest
from shared.contracts.inputs import TimerRang
from shared.contracts.sources import TIMER, TIMERS_SOURCE
from shared.kafka import topics
from shared.runtime import timestamps


def rang(inquiry_id: str, timer: Timer, *, behind: bool) -> Message:
    """The input, recorded at the time at which the timer rings.

    `gate_behind` is not part of the digest: a process that waited longer writes the same input, not another one with this
    id. The salt protects no text, because a timer has none, so it is derived too.
    """
    id_ = timer.id_in(inquiry_id)
    payload = TimerRang.model_validate(
        {"inquiry_id": inquiry_id, "gate_behind": behind} | {name: getattr(timer, name) for name in TIMER_FIELDS}
    )
    same = payload.model_copy(update={"gate_behind": False}).model_dump_json().encode()
    origin = Origin(
        source=TIMERS_SOURCE,
        subject=inquiry_id,
        recorded_at=timestamps.to_text(timestamps.from_ms(timer.rings_at)),
        digest=digest(payload.type.encode() + b"\n" + same),
        actor=TIMER,
        salt=sha256(f"timer/{id_}".encode()).hexdigest(),
    )
    return Message(topics.INPUTS, inquiry_id, id_, payload.type, origin, payload.model_dump_json().encode())


TIMER_FIELDS = ("kind", "part_id", "clock", "due_at")
