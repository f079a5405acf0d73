"""What intake's pages say when something cannot be done, in both languages."""

from collections.abc import Mapping

from shared.runtime.languages import Lang

AWAY: Mapping[Lang, str] = {
    "zh": "系统暂时无法保存，您写的内容还在，请过一会儿再提交。",
    "en": "Nothing can be stored right now; what you wrote is still here. Please send it again in a moment.",
}
TOO_OFTEN: Mapping[Lang, str] = {
    "zh": "刚才从您这里提交的诉求太多。您写的内容还在，请过一分钟再提交。",
    "en": "Too many messages came from where you are just now. What you wrote is still here; send it in a minute.",
}
IN_FLIGHT: Mapping[Lang, str] = {
    "zh": "这份诉求正在保存，请稍等片刻再提交一次，不会重复登记。",
    "en": "This very message is being stored right now; send it again in a moment, it will not count twice.",
}
GUESSED: Mapping[Lang, str] = {
    "zh": "这个编号的查询码输错太多次，请过几分钟再试。",
    "en": "Too many wrong codes for this ticket; try again in some minutes.",
}
RATED: Mapping[Lang, str] = {
    "zh": "这一轮已经评价过，或者还没有可以评价的答复。",
    "en": "This round is rated already, or has no answer to rate yet.",
}
CHOOSE: Mapping[Lang, str] = {
    "zh": "所选部门现在不受理诉求，请从所列选项中选择。",
    "en": "A department that you chose takes no messages now; choose from the list.",
}
UNKNOWN: Mapping[Lang, str] = {
    "zh": "没有这个编号，或查询码不对。",
    "en": "There is no such ticket, or the code is not its code.",
}

UNMASKED: Mapping[Lang, str] = {
    "zh": "暂时无法预览公开版。您写的内容还在，请过一会儿再预览，或直接提交。",
    "en": "The public version cannot be shown right now. What you wrote is still here; try again in a moment, or send it.",
}

CHINESE: Mapping[str, str] = {
    "is blank": "不能只有空白，请写明内容。",
    "contains U+0000": "含有无法保存的字符（U+0000），请删去。",
    "is no telephone number": "不是电话号码，请写数字，例如 138 0000 0000。",
    "is no department code": "不是部门，请从所列选项中选择。",
    "is no e-mail address": "不是邮箱地址，请写成 name@mail.example 的样子。",
}
"""By the beginning of the English sentence that a field's check gives."""
