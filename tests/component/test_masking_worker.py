"""The process that masks: started when needed, again when it has died, ended when nobody needs it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator

import pytest

from shared.masking import worker
from shared.masking.case import CaseTexts
from shared.masking.masking import MARK
from shared.masking.worker import MaskingUnavailable, MaskingWorker
from tests.component.conftest import in_background
from tests.patience import PATIENCE_S

CASE = CaseTexts(written=("路灯", "我叫陈晓岚，电话13800138000。"), answers=("已联系陈晓岚。",))
SEEN = ("路灯", f"我叫{MARK}，电话{MARK}。")


@pytest.fixture
async def masker() -> AsyncIterator[MaskingWorker]:
    one = MaskingWorker()
    async with in_background(one.tend):
        yield one


def killed(masker: MaskingWorker) -> int:
    pid = masker.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


async def until_gone(pid: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while os.path.exists(f"/proc/{pid}"):
            await asyncio.sleep(0.02)


async def test_it_is_started_when_it_is_needed_and_masks_one_case_after_another(masker: MaskingWorker) -> None:
    assert masker.pid is None
    masked = await asyncio.gather(*(masker.mask(CASE) for _ in range(5)))
    assert {one.written for one in masked} == {SEEN}
    assert {one.answers for one in masked} == {(f"已联系{MARK}。",)}


async def test_killed_between_two_cases_it_is_started_again(masker: MaskingWorker) -> None:
    await masker.mask(CASE)
    before = killed(masker)
    assert (await masker.mask(CASE)).written == SEEN
    assert masker.pid not in (None, before)


async def test_killed_over_a_case_that_case_is_masked_by_the_next(masker: MaskingWorker) -> None:
    await masker.mask(CASE)
    long = CaseTexts(written=("我叫陈晓岚，电话13800138000。" * 600,))
    asked = asyncio.create_task(masker.mask(long))
    await asyncio.sleep(0.05)
    killed(masker)
    [text] = (await asked).written
    assert "陈晓岚" not in text


async def test_what_is_too_slow_is_given_up_and_the_next_case_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    hasty = MaskingWorker(answer_s=0.01)
    with pytest.raises(MaskingUnavailable):
        await hasty.mask(CASE)
    assert hasty.pid is None
    patient = MaskingWorker()
    async with in_background(patient.tend):
        assert (await patient.mask(CASE)).written == SEEN


async def test_somebody_who_leaves_takes_nobodys_answer(masker: MaskingWorker) -> None:
    await masker.mask(CASE)
    left = asyncio.create_task(masker.mask(CaseTexts(written=("我叫王小明。" * 2_000,))))
    await asyncio.sleep(0.02)
    left.cancel()
    assert (await masker.mask(CASE)).written == SEEN


async def test_too_many_cases_at_once_are_refused(masker: MaskingWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "WAITING_MOST", 2)
    outcomes = await asyncio.gather(*(masker.mask(CASE) for _ in range(3)), return_exceptions=True)
    assert [isinstance(one, MaskingUnavailable) for one in outcomes] == [False, False, True]


async def test_unused_it_is_ended() -> None:
    masker = MaskingWorker(idle_s=0.1)
    async with in_background(masker.tend):
        await masker.mask(CASE)
        pid = masker.pid
        assert pid is not None
        await until_gone(pid)
        assert (await masker.mask(CASE)).written == SEEN


async def test_it_ends_with_whoever_started_it_however_that_ends() -> None:
    script = (
        "import asyncio, sys\n"
        "from shared.masking.case import CaseTexts\n"
        "from shared.masking.worker import MaskingWorker\n"
        "async def work():\n"
        "    masker = MaskingWorker()\n"
        "    await masker.mask(CaseTexts(written=('路灯',)))\n"
        "    print(masker.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(work())\n"
    )
    command = (sys.executable, "-c", script)
    parent = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    parent.kill()
    await parent.wait()
    await until_gone(pid)
