"""Staff users of the component tests, and a guard that knows their tokens without a store."""

from services.router.domain.staff import STAFF_ROLES, StaffUser
from services.router.users.guard import StaffGuard

TOKEN = b"the token of a channel or operator"
OPERATOR = StaffUser(1, "operator", "operator")
LIGHTING = StaffUser(2, "lin", "clerk", "lighting")
ROADS = StaffUser(3, "luo", "clerk", "roads")
OTHERS = [StaffUser(number, f"a {role}", role) for number, role in enumerate(STAFF_ROLES, 10) if role != "clerk"]
APPROVER_OF_WATER = StaffUser(4, "shui", "approver", "water")
EVERYBODY = (OPERATOR, LIGHTING, ROADS, APPROVER_OF_WATER, *OTHERS)


def token_of(user: StaffUser) -> str:
    return TOKEN.decode() if user == OPERATOR else f"the token of user {user.number}"


def bearer(user: StaffUser) -> dict[str, str]:
    return {"Authorization": f"Bearer {token_of(user)}"}


def guard() -> StaffGuard:
    """Accepts the token of each of these users."""
    users = {token_of(user).encode(): user for user in EVERYBODY}

    async def find(token: bytes) -> StaffUser | None:
        return users.get(token)

    return StaffGuard(find)
