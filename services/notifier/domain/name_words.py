"""Words about names, as data: surnames, words that are nobody's name, words that are also names."""


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


COMPOUND_SURNAMES = words(
    "欧阳 司马 上官 诸葛 夏侯 皇甫 尉迟 公孙 慕容 令狐 长孙 宇文 司徒 端木 东方 南宫 西门 独孤 轩辕 呼延 申屠 闻人 鲜于"
)
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜"
    "崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤康易乔赖文庞"
    "樊兰殷施洪翟安颜倪牛温芦季俞章鲁葛伍申尤毕聂焦柳邢岳齐梅庄涂祁耿詹关费纪靳童欧甄裴祝桂连阮柴卞辛骆甘凌左舒"
    "柯屈车冉包司阳成古游栾尚米管冷卓蔺高曲华盛佟单喻解滕乐宁闵邬苗谷岑景蒲邝"
)
# Surnames that seldom begin another word: after a bare 本人 or 我是 only these make a name.
PLAIN_SURNAMES = (
    "王李周林叶魏丁尹熊孟秦段史范夏张刘陈杨黄赵吴徐孙朱胡郭罗郑梁谢宋唐许韩冯邓曹彭肖董袁潘蒋蔡杜吕沈姚卢姜崔谭陆"
    "汪廖贾韦邹薛闫陶黎龚邵钱覃戴莫汤赖庞樊殷翟倪俞聂邢詹靳阮骆冉邬岑邝"
)
NOBODY = words(
    "匿名 市民 居民 村民 群众 业主 网友 学生 家长 老师 先生 女士 用户 无 不愿透露 热心市民 某某 某市民 "
    "anonymous resident citizen unknown none nobody user name test"
)
# Parts of names that are everyday words: alone they are a name only with a capital.
EVERYDAY = words(
    "a ai an as at be by do go he hi ho i in is it me my no of oh on or so to up us we you the and for long song sun "
    "sung may will mark grace hope park green brown white black gray grey young king bell hall wood woods stone hill "
    "lake rose lane street road city bush field fields rich bill rob art frank drew chase dean day summer april june "
    "august price major hunter baker cook mason page ray ward west north east wells water waters best good man mann "
    "war she hay low mean more most pan pen sang tan ten ran fan can cannon sage dawn eve ford guy joy van von de la "
    "del der den bin al el st jr sr"
)
# What follows "my name is" in a sentence that goes on.
NOT_A_NAME = words(
    "and i a an the from on in at of not wrong spelled misspelled missing is was my we to for but or so living who "
    "with writing this that it here as have has would live am"
)
