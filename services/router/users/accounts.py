"""Changes of staff users and their tokens. Each act of a person writes its audit entry first.

So no act is missing in the audit. After a crash or a failed write, an entry may be of an act that did not happen.
"""

from dataclasses import dataclass

from services.router.domain.staff import MAY_HAVE_DEPARTMENT, NEEDS_DEPARTMENT, SHARED_ACCOUNT, StaffRole, StaffUser
from services.router.stores.city_revisions import CityRevisions
from services.router.users.audit import AuditedAct, UserAudit
from services.router.users.store import Users, new_number, staff_user
from services.router.users.tokens import has_form, hash_of, new_token, new_token_id
from shared.http.problems import FieldProblem, Problem, shown
from shared.runtime import timestamps
from shared.runtime.logging import log
from shared.store.mongo import Document


@dataclass
class StaffAccounts:
    """`file_token` is the content of CHORUS_OPERATOR_TOKEN_FILE: one more token of the user `operator`."""

    users: Users
    audit: UserAudit
    revisions: CityRevisions
    file_token: bytes

    def __post_init__(self) -> None:
        self._file_hash = hash_of(self.file_token)
        self._prepared = False

    async def prepare(self) -> None:
        """Create the indexes, the user `operator` and the token of the file, and revoke the token that it had before.

        Safe to repeat, in several processes at once: the index on names comes first, so one of them adds the user.
        """
        await self.users.prepare()
        operator = StaffUser(new_number(), SHARED_ACCOUNT, "operator")
        if await self.users.named(SHARED_ACCOUNT) is None and await self.users.add(operator, by=None):
            await self.audit.add(AuditedAct("user-added", operator, by=None))
        operator, id_ = staff_user(await self._stored(SHARED_ACCOUNT)), new_token_id()
        if await self.users.add_token(self._file_hash, id_, operator.number, by=None, from_file=True):
            await self.audit.add(AuditedAct("token-added", operator, by=None, token_id=id_))
        if not await self.users.use_file_token(self._file_hash, operator.number):
            log.error("CHORUS_OPERATOR_TOKEN_FILE contains the token of another user; rotate the file")
        self._prepared = True

    async def find(self, token: bytes) -> StaffUser | None:
        """The user whom a token belongs to; None for an invalid one."""
        token_hash = hash_of(token)
        from_file = token_hash == self._file_hash
        if not from_file and not has_form(token):
            return None
        user = await self.users.user_of(token_hash, timestamps.now())
        if user is None and from_file and not (self._prepared and await self.users.knows_token(token_hash)):
            # A request may arrive before the preparations are done, or after somebody emptied the store. Before them, the
            # token may be one that the file had long ago, which they accept again.
            await self.prepare()
            user = await self.users.user_of(token_hash, timestamps.now())
        return user

    async def add(self, name: str, role: StaffRole, department: str | None, by: StaffUser) -> tuple[StaffUser, str]:
        """A new user and their first token. Raises Problem 409 for an existing name, 422 for a wrong department."""
        await self._check_department(role, department)
        user = StaffUser(new_number(), name, role, department)
        if await self.users.named(name) is not None:
            raise _taken(name)
        await self.audit.add(AuditedAct("user-added", user, by))
        if not await self.users.add(user, by.number):
            raise _taken(name)
        return user, await self._add_token(user, by)

    async def disable(self, name: str, by: StaffUser) -> Document:
        """Disable a user; safe to repeat. Raises Problem 404, or 409 for the user of the token file."""
        stored = await self._stored(name)
        user = staff_user(stored)
        if user.is_shared:
            detail = "has the token of CHORUS_OPERATOR_TOKEN_FILE, so it cannot be disabled: rotate that file instead."
            raise Problem(409, f"The user {SHARED_ACCOUNT!r} {detail}")
        if not stored["disabled"]:
            await self.audit.add(AuditedAct("user-disabled", user, by))
            await self.users.disable(user.number)
        return await self._stored(name)

    async def add_token(self, name: str, by: StaffUser) -> tuple[StaffUser, str]:
        """One more token of a user. Raises Problem 404, or 409 for a disabled user."""
        stored = await self._stored(name)
        if stored["disabled"]:
            raise Problem(409, f"The user {shown(stored['name'])} is disabled and gets no new token.")
        return staff_user(stored), await self._add_token(staff_user(stored), by)

    async def revoke(self, name: str, token_id: str, by: StaffUser) -> Document:
        """Revoke a token; safe to repeat. Raises Problem 404, or 409 for the token of the file."""
        stored = await self._stored(name)
        for token in await self.users.tokens_of([stored["_id"]]):
            if token["id"] != token_id:
                continue
            if token["_id"] == self._file_hash:
                detail = "is in CHORUS_OPERATOR_TOKEN_FILE, which other services accept too: rotate that file instead."
                raise Problem(409, f"The token {shown(token_id)} {detail}")
            if token["revoked_at"] is None:
                await self.audit.add(AuditedAct("token-revoked", staff_user(stored), by, token_id))
                await self.users.revoke(token["_id"])
            return stored
        raise Problem(
            404, f"The user {shown(stored['name'])} has no token {shown(token_id)}; `chorus user list` shows them."
        )

    async def _add_token(self, user: StaffUser, by: StaffUser) -> str:
        token, id_ = new_token(), new_token_id()
        await self.audit.add(AuditedAct("token-added", user, by, id_))
        await self.users.add_token(hash_of(token.encode()), id_, user.number, by.number)
        return token

    async def _stored(self, name: str) -> Document:
        stored = await self.users.named(name)
        if stored is None:
            raise Problem(404, f"There is no user {shown(name)}; `chorus user list` shows them.")
        return stored

    async def _check_department(self, role: StaffRole, code: str | None) -> None:
        """Raise Problem 422 unless this role has this department."""
        if code is None:
            if role in NEEDS_DEPARTMENT:
                raise _wrong_department(f"is missing; a {role} works for one department, so name its code")
            return
        if role not in MAY_HAVE_DEPARTMENT:
            raise _wrong_department(f"{shown(code)} does not fit; a user with the role {role!r} has no department")
        city = await self.revisions.latest()
        found = city.department(code) if city else None
        if found is None or found.retired:
            raise _wrong_department(f"{shown(code)} is not an active department; `chorus department list` shows them")


def _taken(name: str) -> Problem:
    return Problem(409, f"There is a user {shown(name)} already; choose another name.")


def _wrong_department(why: str) -> Problem:
    detail = f"department {why}"
    return Problem(422, detail + ".", [FieldProblem(pointer="/department", detail=detail)])
