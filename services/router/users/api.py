"""The desk's routes for users, their tokens, and the audit of both."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from services.router.users.accounts import StaffAccounts
from services.router.users.guard import StaffGuard, Who
from services.router.users.requests import NewUserBody
from services.router.users.responses import (
    AuditEntry,
    AuditPage,
    NewToken,
    OwnAccount,
    UserList,
    UserShown,
)
from shared.http.parameters import PageSize
from shared.http.problems import documented
from shared.http.protected import protected_routes
from shared.http.query_fields import unknown_place
from shared.http.request_body import body_of, limited_body, parsed
from shared.store.mongo import Document

NameInPath = Annotated[str, Path(max_length=200, description="The name of the user.")]
TokenId = Annotated[str, Path(max_length=200, description="The id of the token, as `GET /users` lists it.")]
LAST_ENTRY = 2**53


def routes(accounts: StaffAccounts, guard: StaffGuard) -> APIRouter:
    api = protected_routes("users", guard.check, 401, 403, 422, 429, 503)
    _user_routes(api, accounts)
    _token_routes(api, accounts)
    _audit_route(api, accounts)
    return api


def _user_routes(api: APIRouter, accounts: StaffAccounts) -> None:
    @api.get("/me", summary="The user that this request acts as")
    async def me(who: Who) -> OwnAccount:
        return OwnAccount(user=who.name, number=who.number, role=who.role, department=who.department)

    @api.get("/users", summary="All users with their tokens, without the values of these")
    async def users() -> UserList:
        found = await accounts.users.all()
        tokens: dict[int, list[Document]] = {one["_id"]: [] for one in found}
        for token in await accounts.users.tokens_of(list(tokens)):
            tokens[token["user"]].append(token)
        return UserList(users=[UserShown.of(one, tokens[one["_id"]]) for one in found])

    @api.post(
        "/users",
        status_code=201,
        openapi_extra=body_of(NewUserBody),
        responses=documented(408, 409, 413),
        summary="Add a user",
    )
    async def add(request: Request, who: Who) -> NewToken:
        given = parsed(NewUserBody, await limited_body(request))
        return NewToken.of(*await accounts.add(given.name, given.role, given.department, who))

    @api.post("/users/{name}/disable", responses=documented(404, 409), summary="Disable a user and all their tokens")
    async def disable(name: NameInPath, who: Who) -> UserShown:
        return await _shown(accounts, await accounts.disable(name, who))


def _token_routes(api: APIRouter, accounts: StaffAccounts) -> None:
    @api.post(
        "/users/{name}/tokens",
        status_code=201,
        responses=documented(404, 409),
        summary="Make one more token for a user",
    )
    async def add_token(name: NameInPath, who: Who) -> NewToken:
        return NewToken.of(*await accounts.add_token(name, who))

    @api.delete("/users/{name}/tokens/{token_id}", responses=documented(404, 409), summary="Revoke a token")
    async def revoke(name: NameInPath, token_id: TokenId, who: Who) -> UserShown:
        return await _shown(accounts, await accounts.revoke(name, token_id, who))


def _audit_route(api: APIRouter, accounts: StaffAccounts) -> None:
    @api.get("/audit", responses=documented(404), summary="Every change of a user or token, oldest first, page by page")
    async def audit(
        after: Annotated[
            int,
            Query(ge=0, le=LAST_ENTRY, description="Only entries with a greater number: `next` of the previous page."),
        ] = 0,
        limit: PageSize = 100,
    ) -> AuditPage:
        if after and not await accounts.audit.has(after):
            raise unknown_place(str(after))
        found = await accounts.audit.page(after, limit + 1)
        entries = [
            AuditEntry(n=one["_id"], **{name: one[name] for name in AuditEntry.model_fields if name != "n"})
            for one in found[:limit]
        ]
        return AuditPage(entries=entries, next=entries[-1].n if len(found) > limit else None)


async def _shown(accounts: StaffAccounts, user: Document) -> UserShown:
    return UserShown.of(user, await accounts.users.tokens_of([user["_id"]]))
