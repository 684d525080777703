"""Chinese captions."""

from typing import ClassVar

from examples.scenes.grammar.phrase import Language, Noun, Parts, Place

__all__ = ["LANGUAGE"]

_COLOURS = {
    "red": "红色", "blue": "蓝色", "green": "绿色", "yellow": "黄色", "orange": "橙色", "white": "白色",
    "black": "黑色", "brown": "棕色", "grey": "灰色", "pink": "粉色", "purple": "紫色", "turquoise": "青绿色",
}  # fmt: skip
_WHERE = {"near": "旁边有", "below": "下面有", "sky": "天空中有", "wall": "墙上有"}


def _n(measure: str, noun: str, verb: str) -> Noun:
    return Noun(measure, noun, "", verb)


class Chinese(Language):
    """Time, subject, verb with its place."""

    code = "zh"
    pause = "、"
    joint = "和"
    comma = "，"
    nouns: ClassVar[dict[str, Noun]] = {
        "car": _n("一辆", "{}汽车", "停在"),
        "bus": _n("一辆", "{}公交车", "停在"),
        "bicycle": _n("一辆", "{}自行车", "停在"),
        "tractor": _n("一辆", "{}拖拉机", "停在"),
        "train": _n("一列", "{}火车", "行驶"),
        "sailing_boat": _n("一艘", "{}帆船", "航行"),
        "rowing_boat": _n("一条", "{}小划艇", "漂荡"),
        "ship": _n("一艘", "{}轮船", "航行"),
        "duck": _n("一只", "{}的鸭子", "游水"),
        "dog": _n("一只", "{}的狗", "站在"),
        "cat": _n("一只", "{}的猫", "坐在"),
        "horse": _n("一匹", "{}的马", "站在"),
        "cow": Noun("一头", "{}白相间的奶牛", "stem", "吃草"),
        "sheep": _n("一只", "{}的绵羊", "吃草"),
        "fish": _n("一条", "{}的鱼", "游动"),
        "tree": _n("一棵", "大树", "长在"),
        "pine": _n("一棵", "冷杉树", "长在"),
        "palm": _n("一棵", "棕榈树", "长在"),
        "cactus": _n("一株", "仙人掌", "长在"),
        "sunflower": _n("一朵", "向日葵", "开在"),
        "house": _n("一座", "{}的房子", "坐落在"),
        "church": _n("一座", "教堂", "坐落在"),
        "castle": _n("一座", "城堡", "矗立在"),
        "lighthouse": Noun("一座", "{}白相间的灯塔", "stem", "矗立在"),
        "windmill": _n("一座", "风车", "矗立在"),
        "tent": _n("一顶", "{}帐篷", "搭在"),
        "campfire": _n("一堆", "篝火", "燃烧"),
        "parasol": _n("一把", "{}遮阳伞", "立在"),
        "person": _n("一个", "穿着{}外套的人", "走在"),
        "child": _n("一个", "穿着{}上衣的孩子", "玩球"),
        "umbrella_walker": _n("一个", "打着{}雨伞的人", "走在"),
        "snowman": _n("一个", "围着{}围巾的雪人", "立在"),
        "balloon": _n("一个", "{}热气球", "飘浮"),
        "plane": _n("一架", "{}尾翼的白色飞机", "飞行"),
        "bird_flock": _n("一群", "鸟", "飞翔"),
        "butterfly": _n("一只", "{}的蝴蝶", "飞舞"),
        "kite": _n("一只", "{}的风筝", "飞翔"),
        "moon": _n("一轮", "满月", "挂在"),
        "rainbow": _n("一道", "彩虹", "挂在"),
        "vase": _n("一瓶", "{}的花", "摆在"),
        "cup": _n("一个", "盛着咖啡的{}杯子", "放在"),
        "apple": _n("一个", "{}的苹果", "放在"),
        "fruit_bowl": _n("一个", "{}的水果盘", "放在"),
        "cake": _n("一个", "{}糖霜的生日蛋糕", "放在"),
        "books": _n("一摞", "书", "放在"),
        "clock": _n("一个", "{}的时钟", "挂在"),
        "lamp": _n("一盏", "{}的落地灯", "立在"),
        "guitar": _n("一把", "{}的吉他", "立在"),
        "truck": _n("一辆", "{}卡车", "停在"),
        "elephant": _n("一头", "灰色的大象", "走在"),
        "giraffe": _n("一只", "长颈鹿", "站在"),
        "camel": _n("一头", "骆驼", "站在"),
        "penguin": _n("一只", "围着{}围巾的企鹅", "站在"),
        "fox": _n("一只", "红色的狐狸", "站在"),
        "deer": _n("一头", "长着鹿角的雄鹿", "站在"),
        "rabbit": _n("一只", "{}的兔子", "蹲在"),
        "chicken": _n("一只", "{}的母鸡", "站在"),
        "whale": _n("一头", "蓝色的鲸鱼", "游动"),
        "turtle": _n("一只", "海龟", "游动"),
        "jellyfish": _n("一只", "{}的水母", "漂浮"),
        "octopus": _n("一只", "{}的章鱼", "游动"),
        "fish_school": _n("一群", "{}的鱼", "游动"),
        "rocket": _n("一枚", "头部{}的火箭", "飞行"),
        "planet": _n("一颗", "带光环的{}行星", "闪耀"),
        "woman": _n("一位", "穿着{}连衣裙的女人", "站在"),
        "girl": _n("一个", "拿着{}气球的女孩", "站在"),
        "footballer": _n("一名", "穿着{}球衣的足球运动员", "踢球"),
        "teapot": _n("一个", "{}的茶壶", "放在"),
        "sofa": _n("一张", "{}的沙发", "摆在"),
        "potted_plant": _n("一盆", "种在{}花盆里的绿植", "摆在"),
        "christmas_tree": _n("一棵", "装饰好的圣诞树", "立在"),
    }
    places: ClassVar[dict[str, Place]] = {
        "beach": Place("海滩上", "海滩上空", "海滩", "海滩边的海面上"),
        "sea": Place("海边", "大海上空", "大海", "海面上"),
        "lake": Place("湖边", "湖面上空", "湖", "湖面上"),
        "harbour": Place("港口里", "港口上空", "港口", "港口里"),
        "underwater": Place("海底的珊瑚丛中", "珊瑚礁上方", "珊瑚礁"),
        "mountains": Place("山里", "群山上空", "群山"),
        "forest": Place("森林里", "森林上空", "森林"),
        "meadow": Place("开满鲜花的草地上", "开满鲜花的草地上空", "开花的草地"),
        "desert": Place("沙漠里", "沙漠上空", "沙漠"),
        "snowfield": Place("雪地里", "雪地上空", "雪地"),
        "camp": Place("林间空地上", "林间空地上空", "林间空地"),
        "farm": Place("农场里", "农场上空", "农场"),
        "city": Place("城市街道上", "城市街道上空", "城市街道"),
        "village": Place("村庄里", "村庄上空", "村庄"),
        "park": Place("公园里", "公园上空", "公园"),
        "railway": Place("铁路上", "铁路上空", "铁路"),
        "living_room": Place("客厅里", "", "客厅", wall="客厅的墙上"),
        "kitchen": Place("厨房的餐桌上", "", "餐桌", wall="厨房的墙上"),
        "space": Place("太空中", "太空中", "太空"),
        "river": Place("石桥旁的河岸上", "有石桥的河流上空", "有石桥的河", "石桥旁的河面上"),
        "savannah": Place("稀树草原上", "稀树草原上空", "稀树草原"),
        "ice": Place("极地海边的冰面上", "极地海洋上空", "极地冰面", "极地的海里"),
        "autumn": Place("秋天的森林里", "秋天的森林上空", "秋天的森林"),
        "lavender": Place("薰衣草田里", "薰衣草田上空", "薰衣草田"),
        "football": Place("足球场上", "足球场上空", "足球场"),
    }
    times: ClassVar[dict[str, tuple[str, str]]] = {
        "day": ("晴朗的日子里", "晴天"),
        "sunset": ("日落时分", "日落"),
        "night": ("夜晚", "夜晚"),
        "rain": ("雨中", "下雨"),
        "snow": ("下雪时", "下雪"),
        "fog": ("雾中", "雾"),
        "evening": ("晚上", "晚上"),
    }

    def colour(self, name: str, form: str) -> str:
        """Plain, or without its last syllable as in 黑白相间."""
        return _COLOURS[name].removesuffix("色") if form == "stem" else _COLOURS[name]

    def _join(self, article: str, noun: str) -> str:
        return article + noun

    def sentence(self, parts: Parts) -> str:
        """日落时分，一辆红色汽车停在海滩上，旁边有一只狗，天空中有一个热气球。"""
        verb = f"{parts.verb}{parts.place}" if parts.verb.endswith("在") else f"在{parts.place}{parts.verb}"
        others = "".join(f"，{_WHERE[where]}{things}" for where, things in self.grouped(parts.others))
        return f"{parts.time}，{parts.subject}{verb}{others}。".removeprefix("，")

    def short(self, subjects: list[str], place: str) -> str:
        """海滩上的一辆红色汽车和一只狗"""
        return f"{place}的{self.listing(subjects)}"


LANGUAGE = Chinese()
