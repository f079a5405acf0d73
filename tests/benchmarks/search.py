"""Measures the full-text search of the desk on a store of its own: `python -m tests.benchmarks.search 20000`.

Prints, while the store fills, the time to index a case, and after 1,000, 3,000 and all cases the time of a page; at the end,
the bytes of each collection and its indexes for each case.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice
from pathlib import Path
from statistics import median

from deploy.local.ports import Ports
from services.router.desk.case_filters import CaseFilter
from services.router.desk.case_list import CaseList, read_row
from services.router.desk.cases import CaseQueries
from services.router.desk.search_filling import SearchFilling
from services.router.domain.case import Case
from services.router.domain.search.grams import grams_of
from services.router.domain.search.query import SearchQuery
from services.router.domain.search.texts import SearchableTexts, searchable
from services.router.domain.staff import StaffUser
from services.router.stores.case_rows import place_of
from services.router.stores.store import RouterStore
from shared.kafka import topics
from shared.runtime import timestamps
from shared.runtime.settings import Settings
from shared.store.mongo import Document, close, connect, insert_new
from tests.backing import backing
from tests.builders import Story, contributed, received, record_of, told

BATCH = 100
AS_IN_THE_PRODUCT = 500
"""So many cases are indexed by the product's loop, the others without its claims, which is faster."""
RARE, COMMON = "琉璃瓦", "路灯"
QUERIES = (RARE, COMMON, "路灯不亮 小区", f"{COMMON} {RARE}", "水井盖子塌方了")
OPERATOR = StaffUser(1, "operator", "operator")
LIGHTING = StaffUser(2, "lin", "clerk", "lighting")
SPOKEN = (
    "路灯 不亮 小区 物业 街道 垃圾 噪音 施工 扰民 夜间 停车 占道 井盖 破损 积水 树木 修剪 电梯 "
    "故障 老人 孩子 学校 医院 公交 站台 反映 希望 尽快 解决 居民 处理 已经 半个月 没有 答复 电话 "
    "联系 谢谢 门口 楼下 人行道 路面 坑洞 安全 隐患 影响 出行 管理 部门 自来水 停水 漏水 管道 燃气 "
    "供暖 投诉 咨询 政策 社保 医保 户口 办理 窗口 态度 排队 材料 补贴 房产 登记 中介 开发商 质量 "
    "渗水 "
)
WORDS = SPOKEN.split()


def cases(count: int) -> Iterator[Story]:
    """Messages of 60 to 300 characters, a minute apart until now; a third name the lamps, one in 2,000 the rare word."""
    chance, first = random.Random(1), timestamps.now() - timedelta(minutes=count)
    rare = [chr(0x4E00 + 7 * n) for n in range(2_500)]
    for n in range(count):
        body = "".join(
            chance.choice(WORDS) if chance.random() < 0.8 else "".join(chance.choices(rare, k=2))
            for _ in range(chance.randint(30, 130))
        )
        subject = "路灯不亮" if n % 3 == 0 else "水管漏水"
        steps = [
            received(subject, f"{body}{RARE if n % 2_000 == 77 else ''}", received_at=first + timedelta(minutes=n))
        ]
        if n % 2:
            steps.append(contributed("lighting" if n % 3 == 0 else "water", f"已派人处理，{body[:60]}。"))
        yield told(*steps, inquiry_id=f"20260316-{n:08}")


async def measure(mongodb: str, count: int) -> None:
    database = connect(mongodb, "search")
    store = RouterStore(database)
    await store.prepare()
    filling, queries = (
        SearchFilling(store, lambda: timestamps.now() + timedelta(hours=1)),
        CaseQueries(store, Settings()),
    )
    stories, done = cases(count), 0
    while some := list(islice(stories, BATCH)):
        await _list(store, some)
        started = time.perf_counter()
        if done < AS_IN_THE_PRODUCT:
            while await filling.round():
                pass
        else:
            await _index(store, some)
        done += len(some)
        if done % 1_000 == 0 or done <= AS_IN_THE_PRODUCT:
            _say(f"{done} cases: {1_000 * (time.perf_counter() - started) / len(some):.1f} ms to index one of the last")
        if done in (1_000, 3_000, count):
            await _queries(queries)
    documents = await store.search.collection.find({}, ["grams"]).to_list(2_000)
    _say(f"{sum(len(one['grams']) for one in documents) / len(documents):.0f} numbers in a document")
    for name in ("decisions", "cases", "search", "worklist"):
        stats = await database.command("collStats", name)
        sizes = {field: round(stats[field] / done) for field in ("size", "totalIndexSize") if field in stats}
        _say(f"{name}: bytes for each case {sizes}")
    await close(database)


async def _list(store: RouterStore, some: Sequence[Story]) -> None:
    """Store the decisions of cases and list them."""
    for n in range(2):
        decided = [(Case(one.case.inquiry_id), one.decisions[n]) for one in some if len(one.decisions) > n]
        await store.decisions.insert(decided)
    events = [message for one in some for message in one.messages if message.topic == topics.EVENTS]
    await CaseList(store).follow([read_row(record_of(one)) for one in events])


async def _index(store: RouterStore, some: Sequence[Story]) -> None:
    """Index cases as SearchFilling does, without its claims and checks."""
    for start in range(0, len(some), 10):
        texts = [searchable(one.case.inquiry_id, one.decisions) for one in some[start : start + 10]]
        documents = [_document(one) for one in texts]
        await insert_new(store.search.collection, documents)
    await store.search.pending.delete_many({})


def _document(texts: SearchableTexts) -> Document:
    inquiry_id, inquiry = texts.case.inquiry_id, texts.case.inquiry
    place = place_of(inquiry_id, inquiry.received_at if inquiry is not None else None)
    return {"_id": f"{place}/0", "inquiry_id": inquiry_id, "grams": sorted(grams_of(texts))}


async def _queries(queries: CaseQueries) -> None:
    for who in (OPERATOR, LIGHTING):
        for text in QUERIES:
            wanted, taken, found = CaseFilter(words=SearchQuery.read(text)), list[float](), 0
            for _ in range(5):
                started = time.perf_counter()
                page = await queries.page(wanted, None, 20, who)
                taken.append(time.perf_counter() - started)
                found = len(page["cases"])
            _say(
                f"  {who.role:9} {text:12} {found:3} rows, more: {page['next'] is not None!s:5} {1_000 * median(taken):8.1f} ms"
            )
        started = time.perf_counter()
        await queries.page(CaseFilter(), None, 20, who)
        _say(f"  {who.role:9} (no words)   {1_000 * (time.perf_counter() - started):8.1f} ms")


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as folder:
        given = {"CHORUS_KAFKA": "127.0.0.1:1", "CHORUS_SMTP": "127.0.0.1:1"}
        with backing(Path(folder) / "backing", Ports.free(), given) as running:
            asyncio.run(measure(running.mongodb, count))


if __name__ == "__main__":
    main()
