"""The bodies of answers about users."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from services.router.domain.staff import StaffRole, StaffUser
from services.router.users.audit import What
from shared.contracts.documented import Documented
from shared.store.mongo import Document


class NewToken(Documented):
    """A user with a new token."""

    user: str
    """The name of the user."""
    role: StaffRole
    """The role of the user."""
    department: str | None
    """The code of the user's department; null without one."""
    token: str
    """The token. Only this answer has it: Chorus stores its SHA-256."""

    @classmethod
    def of(cls, user: StaffUser, token: str) -> Self:
        return cls(user=user.name, role=user.role, department=user.department, token=token)


class OwnAccount(Documented):
    """The user that the request acts as."""

    user: str
    """The name of the user."""
    number: int
    """The opaque number of the user, which decisions store."""
    role: StaffRole
    """The role of the user."""
    department: str | None
    """The code of the user's department; null without one."""


class TokenShown(Documented):
    """A token, without its value."""

    token_id: str
    """The id of the token, for revoking it."""
    created_at: datetime
    """When the token was made."""
    last_used_at: datetime | None
    """When the token was used last, exact to a minute; null when it never was."""
    revoked_at: datetime | None
    """When the token was revoked; null while it works."""
    from_file: bool
    """Whether the token is or was the content of CHORUS_OPERATOR_TOKEN_FILE."""


class UserShown(OwnAccount):
    """A user with their tokens."""

    disabled: bool
    """Whether the user is disabled, so that no token of theirs works."""
    created_at: datetime
    """When the user was added."""
    created_by: int | None
    """The number of the operator who added the user; null for the router itself."""
    tokens: list[TokenShown]
    """The tokens of the user, oldest first, revoked ones included."""

    @classmethod
    def of(cls, user: Document, tokens: Sequence[Document]) -> Self:
        return cls(
            user=user["name"],
            number=user["_id"],
            role=user["role"],
            department=user["department"],
            disabled=user["disabled"],
            created_at=user["created_at"],
            created_by=user["created_by"],
            tokens=[
                TokenShown(
                    token_id=one["id"],
                    created_at=one["created_at"],
                    last_used_at=one["used_at"],
                    revoked_at=one["revoked_at"],
                    from_file=one["from_file"],
                )
                for one in tokens
            ],
        )


class UserList(Documented):
    """All users."""

    users: list[UserShown]
    """All users by name, disabled ones included."""


class AuditActor(Documented):
    """Who changed a user."""

    number: int
    """The number of the operator."""
    name: str
    """The name of the operator."""


class AuditEntry(Documented):
    """A change of a user or of their tokens."""

    n: int
    """The number of the entry, counted from 1 without gaps."""
    at: datetime
    """When the change was made."""
    by: AuditActor | None
    """Who made the change; null for the router itself, at its start."""
    what: What
    """`user-added`, `user-disabled`, `token-added` or `token-revoked`."""
    number: int
    """The number of the user that was changed."""
    name: str
    """The name of the user that was changed."""
    role: StaffRole
    """The role of the user that was changed."""
    department: str | None
    """The department of the user that was changed; null without one."""
    token_id: str | None
    """The id of the token; null when the change is not about a token."""


class AuditPage(Documented):
    """A page of the audit of users."""

    entries: list[AuditEntry]
    """Entries in the order of their numbers."""
    next: int | None
    """The value of `after` for the next page; null on the last page."""
