"""Word lists for the rules for names: surnames, given names, words that are never names, words that can also be names."""

import re


def words(text: str) -> frozenset[str]:
    """Splits a text at spaces."""
    return frozenset(text.split())


COMPOUND_SURNAMES = words(
    "欧阳 司马 上官 诸葛 夏侯 皇甫 尉迟 公孙 慕容 令狐 长孙 宇文 司徒 端木 东方 南宫 西门 独孤 轩辕 呼延 申屠 闻人 "
    "鲜于 司空 澹台 "
    "公冶 宗政 濮阳 淳于 单于 太叔 公羊 赫连 钟离 拓跋 百里 东郭 南门 第五 完颜 纳兰 叶赫"
)
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁谢宋唐许韩冯邓曹彭曾肖萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜"
    "崔钟谭陆汪范金石廖贾夏韦付傅方白邹孟熊秦邱江尹薛闫阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤康易乔赖文庞"
    "樊兰殷施洪翟安颜倪牛温芦季俞章鲁葛伍申尤毕聂焦柳邢岳齐梅庄涂祁耿詹关费纪靳童欧甄裴祝桂连阮柴卞辛骆甘凌左舒"
    "柯屈车冉包司阳成古游栾尚米管冷卓蔺高曲华盛佟单喻解滕乐宁闵邬苗谷岑景蒲邝蓝褚娄窦娥路艾奚项宫时麻应符褟仇池胥苟屠蒙党"
    "宗郁燕佘晏巫郎粟敖匡隆沙邸台卫晋揭植阙修鄢鞠全朴楼危封嵇谌涵羿闻荣储迟丛宣国帅鹿茅裘郜霍刁虞杭井冼商桑"
    "占边卜柏酆鲍皮穆狄臧伏席昝缪干贲翁荀於惠芮汲邴糜松富巴弓牧隗宓郗班仰仲伊暴厉戎束幸韶蓟薄印宿怀索咸籍阴苍莘贡劳逄姬扶宰郦雍璩濮寿扈冀郏浦农瞿慕茹习宦容慎戈庾暨衡弘寇禄殳沃蔚越夔巩厍晁勾融訾阚简饶巢蒯查荆竺权逯盖桓仉缑亢况郈牟佴赏墨谯笪苑漆卿禹甯郄仝尧展楚闪官谈撒冒冶雒亓祖云房吉"
)
# Surnames that seldom begin another word: after a bare 本人 or 我是 only these make a name.
PLAIN_SURNAMES = (
    "王李周林叶魏丁尹熊孟秦段史范夏张刘陈杨黄赵吴徐孙朱胡郭罗郑梁谢宋唐许韩冯邓曹彭肖萧董袁潘蒋蔡杜吕沈姚卢姜崔谭陆"
    "汪廖贾韦傅邹薛闫阎陶黎龚邵钱覃戴莫汤赖庞樊殷翟倪俞聂邢詹靳阮骆冉邬岑邝褚娄窦霍虞冼佘鄢谌"
)
NOBODY = words(
    "小灵通 匿名 市民 居民 村民 群众 业主 网友 学生 家长 老师 先生 女士 用户 无 不愿透露 热心市民 某某 某市民 "
    "某某某 本人 自己 "
    "anonymous resident citizen unknown none nobody user name test n/a"
)
# Names of public figures, which many texts mention and which identify no resident.
PUBLIC_FIGURES = words(
    "毛泽东 邓小平 习近平 江泽民 胡锦涛 周恩来 刘少奇 朱德 孙中山 雷锋 焦裕禄 孔子 老子 孟子 李克强 温家宝 朱镕基 "
    "马克思 列宁 "
    "恩格斯 毛主席 习总书记 习主席 雷锋精神 诸葛亮 白居易 李白 杜甫 鲁迅 屈原 黄帝 炎帝 包公 包青天"
)
# Words that begin like a name and that the model classifies as one.
EVERYDAY_HAN = words(
    "丁克 安顿 方于 严力 应特 高速 金桂 康师傅 康楚 梅雨 江景 严惩 方便 方正 成都 安居 乐业 和平 常务 常委 明白 "
    "万达 万科 石化 温馨 华润 润华"
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
# Words that can follow "my name is" or "I am" without being a name, and words that begin a sentence.
NOT_A_NAME = words(
    "and i a an the from on in at of not wrong spelled misspelled missing is was my we to for but or so living who "
    "with writing this that it here as have has would live am sorry dear sir madam sirs all team please thank thanks "
    "chinese english british american resident citizen owner tenant tired very just also afraid happy unable sure glad "
    "hello hi yours regards best kind sincerely mr mrs ms dr tomorrow today yesterday monday tuesday wednesday thursday "
    "friday saturday sunday january february march april may june july august september october november december "
    "our your their his her its there then when where what why how which still now after before because if since until "
    "i'm i’m im i'd i've signed attn contact from name call phone about over under no yes ok every each some any "
    "many much more most"
)
# A capitalised word that makes the words before it a place or an office.
PLACE_WORDS = words(
    "street st road rd avenue ave lane drive park square garden gardens estate court bridge station school hospital "
    "university college library bureau department office council city county district town village river lake hill "
    "centre center hall house line bus service services company co ltd inc group committee commission government party "
    "airport hotel mall market bank church house building tower block plaza north south east west new old great the"
)
FIRST_NAMES = words(
    "james john robert michael william david richard joseph thomas charles christopher daniel matthew anthony donald "
    "steven paul andrew joshua kenneth kevin brian george edward ronald timothy jason jeffrey ryan jacob gary nicholas "
    "eric jonathan stephen larry justin scott brandon benjamin samuel gregory frank alexander raymond patrick jack dennis "
    "jerry tyler aaron jose adam henry nathan douglas zachary peter kyle walter ethan jeremy harold keith christian roger "
    "noah gerald carl terry sean austin arthur lawrence jesse dylan bryan joe jordan billy bruce albert willie gabriel "
    "logan alan juan wayne roy ralph randy eugene vincent russell elijah louis bobby philip johnny bradley oliver oscar "
    "victor dave mike steve tom tim jim bob bill dan ben sam matt nick tony chris alex max leo luke owen liam mason lucas "
    "harry charlie freddie alfie theo finn hugo felix simon martin colin graham neil stuart ian trevor nigel clive derek "
    "mary patricia jennifer linda elizabeth barbara susan jessica sarah karen lisa nancy betty sandra margaret ashley "
    "kimberly emily donna michelle carol amanda melissa deborah stephanie rebecca sharon laura cynthia dorothy amy kathleen "
    "angela shirley brenda emma anna pamela nicole samantha katherine christine helen debra rachel carolyn janet maria "
    "catherine heather diane olivia julie joyce victoria ruth virginia lauren kelly christina joan evelyn judith andrea "
    "hannah megan cheryl jacqueline martha madison teresa gloria sara janice ann kathryn abigail sophia frances jean alice "
    "judy isabella julia grace amber denise danielle marilyn beverly charlotte natalie theresa diana brittany doris kayla "
    "alexis lori jane kate lucy sophie chloe ella mia ava zoe ruby lily daisy poppy freya naomi priya sofia leila fatima "
    "aisha amina zainab maryam noor ahmed mohammed muhammad mohamed ali omar hassan hussein ibrahim yusuf khalid "
    "tariq bilal "
    "rahul raj arjun amit sanjay vijay ravi anil sunil deepak neha pooja anita sunita kavita lakshmi divya ananya carlos "
    "luis miguel pedro diego javier fernando alejandro pablo sergio antonio manuel francisco rosa carmen lucia elena marta "
    "ana isabel paula cristina giulia marco luca giovanni francesca chiara alessandro matteo pierre jacques marie claire "
    "camille antoine francois hans klaus jurgen wolfgang heidi ingrid anja lars erik sven astrid olga natasha tatiana "
    "svetlana irina dmitri sergei vladimir ivan boris mikhail yuri kwame kofi ama chidi ngozi emeka chinedu amara tunde "
    "hiroshi yuki kenji akiko minh linh nguyen thanh duc jin min soo hyun jihoon gareth rhys sian megan niamh siobhan aoife "
    "ciaran declan eoin hamish isla iain fiona morag angus tobias jonas emil magnus nina petra zuzana jana katarina marek "
    "olumide thabo yusra zhanna mei ling wei kwesi femi tendai piotr pawel krzysztof agnieszka malgorzata andrzej"
)
PINYIN_SURNAMES = words(
    "wang li zhang liu chen yang huang zhao wu zhou xu sun ma zhu hu guo he lin luo gao zheng liang xie song tang han feng "
    "yu dong xiao cheng cao yuan deng fu shen zeng peng lv lu jiang cai jia ding wei xue ye yan pan du dai xia zhong tian "
    "ren fan fang shi yao tan liao zou xiong jin hao kong bai cui kang mao qiu qin gu hou shao meng long wan duan lei qian "
    "yin yi chang qiao lai gong wen pang su ouyang sima zhuge shangguan murong"
)
SYLLABLE = (
    r"(?:(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?"
    r"(?:iang|iong|uang|ang|eng|ing|ong|ian|iao|uai|uan|ai|an|ao|ei|en|er|ia|ie|in|iu|ou|ua|ue|ui|un|uo|[aeiouv]))"
)
PINYIN_GIVEN = re.compile(rf"{SYLLABLE}[ '\-]?{SYLLABLE}?", re.IGNORECASE)
