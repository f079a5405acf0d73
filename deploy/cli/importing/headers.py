"""Which column holds which field: by its name, by the headings that city systems use, or as a person says."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from deploy.cli.importing.content import FileProblem

FIELDS = (
    "subject",
    "body",
    "channel",
    "area",
    "contact.name",
    "contact.phone",
    "contact.email",
    "departments",
    "public",
    "confidential",
    "language",
    "external_id",
)
NEEDED = ("subject", "body")
# The more exact heading first. Not here: 序号, which begins again in each file; 来源 and 承办单位, whose cells are names
# and not the codes that a channel and a department have.
HEADINGS = {
    "subject": "标题 主题 诉求标题 工单标题 事项标题 问题标题 诉求主题 留言主题 留言标题 来信标题 信件标题 事件标题 题目",
    "body": "内容 正文 诉求内容 工单内容 事项内容 反映内容 来电内容 来信内容 信件内容 "
    "留言内容 留言详情 投诉内容 咨询内容 问题内容 "
    "详细内容 具体内容 诉求描述 问题描述 事件描述 描述 详情",
    "external_id": "工单编号 工单号 工单号码 受理编号 受理单号 受理号 诉求编号 案件编号 "
    "事件编号 信件编号 留言编号 业务编号 流水号 单号 编号",
    "contact.name": "来电人 来电人姓名 联系人 联系人姓名 反映人 反映人姓名 投诉人 投诉人姓名 "
    "诉求人 诉求人姓名 来信人 写信人 留言人 市民姓名 姓名",
    "contact.phone": "联系电话 来电号码 来电电话 联系方式 联系号码 联系手机 手机号码 手机号 手机 电话号码 电话 联系人电话",
    "contact.email": "邮箱 电子邮箱 邮箱地址 电子邮件 邮件地址 联系邮箱 e-mail",
    "area": "区域 所属区域 所在区域 地区 所属地区 所在地区 区县 所属区县 行政区 行政区划 辖区 事发区域",
    "public": "是否公开",
    "confidential": "是否保密",
}
TIMES = (
    "来电时间 来电日期 来信时间 受理时间 受理日期 登记时间 创建时间 提交时间 反映时间 诉求时间 留言时间 接件时间 时间"
)
NOT_TAKEN = frozenset(TIMES.split())
AROUND = re.compile(r"[\s*:]|[(\[【].*?[)\]】]")
NAMES_SHOWN = 20
NAME_SHOWN = 40


class WrongMapping(ValueError):
    """A --map that cannot be followed; the words say why and what would be right."""


def plain(column: str) -> str:
    """A heading without what says nothing: `*标题（必填）：` is `标题`."""
    return AROUND.sub("", unicodedata.normalize("NFKC", column)).casefold()


BY_HEADING = {plain(heading): field for field, headings in HEADINGS.items() for heading in headings.split()}
RANK = {plain(heading): rank for headings in HEADINGS.values() for rank, heading in enumerate(headings.split())}


def known_field(name: str) -> str:
    """The field a person means: `name` is `contact.name`. Raises WrongMapping."""
    folded = name.strip().casefold().replace("contact_", "contact.")
    found = next((one for one in FIELDS if folded in (one, one.removeprefix("contact."))), None)
    if found is None:
        raise WrongMapping(f"{name!r} is no field of a message: write one of {', '.join(FIELDS)}.")
    return found


def read_map(given: Iterable[str]) -> dict[str, str]:
    """`FIELD=COLUMN` by field; raises WrongMapping."""
    chosen: dict[str, str] = {}
    for one in given:
        name, equals, column = one.partition("=")
        if not equals or not name.strip() or not column.strip():
            raise WrongMapping(f"--map {one!r} is not FIELD=COLUMN: write it like --map subject=标题.")
        field = known_field(name)
        if field in chosen:
            raise WrongMapping(
                f"--map names {field!r} twice, with {chosen[field]!r} and {column.strip()!r}: choose one."
            )
        chosen[field] = column.strip()
    return chosen


def fields_of(columns: Sequence[str], chosen: Mapping[str, str]) -> dict[str, str]:
    """Every field's column: the one chosen, else the one of its name, else the one with the most exact heading."""
    left = [one for one in columns if one not in chosen.values()]
    by_heading: dict[str, str] = {}
    for column in sorted(left, key=lambda one: RANK.get(plain(one), 0)):
        if field := BY_HEADING.get(plain(column)):
            by_heading.setdefault(field, column)
    found = by_heading | _by_name(left)
    mapped = {field: column for field, column in chosen.items() if column in columns}
    return {field: column for field, column in found.items() if field not in chosen} | mapped


def check_columns(columns: Sequence[str], chosen: Mapping[str, str], *, open_ended: bool = False) -> None:
    """Raise WrongMapping for a chosen column that is not there, FileProblem when subject or body have none.

    `open_ended` is a file whose rows may have further columns, so that one may be chosen that was not seen yet.
    """
    for field, column in chosen.items():
        if column not in columns and not open_ended:
            raise WrongMapping(f"--map {field}={column}: there is no column {column!r}; {_found(columns)}.")
    have = {*fields_of(columns, chosen), *chosen}
    if missing := [field for field in NEEDED if field not in have]:
        raise FileProblem(
            f"No column holds the {' and the '.join(missing)}: {_found(columns)}; say which it is, "
            f"like --map {missing[0]}={_example(columns)}."
        )


def listed(columns: Sequence[str]) -> str:
    """Names for a sentence, cut so that a wrong file does not fill the screen."""
    names = ", ".join(repr(one if len(one) <= NAME_SHOWN else f"{one[:NAME_SHOWN]}…") for one in columns[:NAMES_SHOWN])
    more = len(columns) - NAMES_SHOWN
    return f"{names} and {more:,} more" if more > 0 else names


def _by_name(columns: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for column in columns:
        try:
            found.setdefault(known_field(column), column)
        except WrongMapping:
            continue
    return found


def _found(columns: Sequence[str]) -> str:
    return f"the file has the columns {listed(columns)}" if columns else "the file has no columns"


def _example(columns: Sequence[str]) -> str:
    return next((one[:NAME_SHOWN] for one in columns if one and one.casefold() not in NEEDED), "COLUMN")
