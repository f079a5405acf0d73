"""The desk's routes for files: a department sends one before it refers to it, and reads those of its cases."""

from fastapi import APIRouter, Request

from services.router.desk.cases import CaseQueries
from services.router.files.case_files import CaseFiles, CaseFileShown
from services.router.users.guard import StaffGuard, Who
from shared.files.routes import FileIdPath
from shared.files.sending import FILE_FORM, file_sent
from shared.files.shown import FileTaken
from shared.http.parameters import InquiryId
from shared.http.problems import Problem, documented, shown
from shared.http.protected import protected_routes


def routes(files: CaseFiles, cases: CaseQueries, guard: StaffGuard) -> APIRouter:
    api = protected_routes("desk", guard.check, 401, 403, 404, 422, 429, 503)

    @api.post(
        "/files",
        status_code=201,
        openapi_extra=FILE_FORM,
        responses=documented(408, 413, 415),
        summary="Send a file, to which a contribution of your department then refers",
    )
    async def take(request: Request, who: Who) -> FileTaken:
        files.uploads.admit(str(who.number))
        return await file_sent(request, lambda sent: files.take(sent, who))

    @api.get("/cases/{inquiry_id}/files/{file_id}", summary="A file of a case, with links that work for some minutes")
    async def file(inquiry_id: InquiryId, file_id: FileIdPath, who: Who) -> CaseFileShown:
        for one in (await cases.case(inquiry_id, who))["files"]:
            if one["file_id"] == file_id:
                return CaseFileShown.model_validate(one)
        raise Problem(404, f"The inquiry {shown(inquiry_id)} has no file {shown(file_id)}.")

    return api
