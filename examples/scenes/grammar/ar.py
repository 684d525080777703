"""Arabic captions."""

from typing import ClassVar

from examples.scenes.grammar.phrase import Language, Noun, Parts, Place

__all__ = ["LANGUAGE"]

_COLOURS = {  # masculine, feminine
    "red": ("أحمر", "حمراء"), "blue": ("أزرق", "زرقاء"), "green": ("أخضر", "خضراء"), "yellow": ("أصفر", "صفراء"),
    "orange": ("برتقالي", "برتقالية"), "white": ("أبيض", "بيضاء"), "black": ("أسود", "سوداء"), "brown": ("بني", "بنية"),
    "grey": ("رمادي", "رمادية"), "pink": ("وردي", "وردية"), "purple": ("بنفسجي", "بنفسجية"),
    "turquoise": ("فيروزي", "فيروزية"),
}  # fmt: skip
_WHERE = {"near": "وبالجوار", "below": "وفي الأسفل", "sky": "وفي السماء", "wall": "وعلى الجدار"}


def _n(noun: str, form: str, verb: str) -> Noun:
    return Noun("", noun, form, verb)


class Arabic(Language):
    """Verb, subject, place, time. The verb agrees with the subject that follows it."""

    code = "ar"
    pause = " و"
    joint = " و"
    comma = "، "
    nouns: ClassVar[dict[str, Noun]] = {
        "car": _n("سيارة {}", "f", "تقف"),
        "bus": _n("حافلة {}", "f", "تقف"),
        "bicycle": _n("دراجة {}", "f", "تقف"),
        "tractor": _n("جرار {}", "m", "يقف"),
        "train": _n("قطار {}", "m", "يسير"),
        "sailing_boat": _n("مركب شراعي {}", "m", "يبحر"),
        "rowing_boat": _n("قارب تجديف {}", "m", "يطفو"),
        "ship": _n("سفينة {}", "f", "تبحر"),
        "duck": _n("بطة {}", "f", "تسبح"),
        "dog": _n("كلب {}", "m", "يقف"),
        "cat": _n("قطة {}", "f", "تجلس"),
        "horse": _n("حصان {}", "m", "يقف"),
        "cow": _n("بقرة {} وبيضاء", "f", "ترعى"),
        "sheep": _n("خروف {}", "m", "يرعى"),
        "fish": _n("سمكة {}", "f", "تسبح"),
        "tree": _n("شجرة", "", "تنمو"),
        "pine": _n("شجرة تنوب", "", "تنمو"),
        "palm": _n("نخلة", "", "تنمو"),
        "cactus": _n("نبتة صبار", "", "تنمو"),
        "sunflower": _n("زهرة عباد شمس", "", "تتفتح"),
        "house": _n("بيت {}", "m", "يقع"),
        "church": _n("كنيسة", "", "تقع"),
        "castle": _n("قلعة", "", "تقع"),
        "lighthouse": _n("منارة {} وبيضاء", "f", "ترتفع"),
        "windmill": _n("طاحونة هواء", "", "تقف"),
        "tent": _n("خيمة {}", "f", "تنتصب"),
        "campfire": _n("نار مخيم", "", "تشتعل"),
        "parasol": _n("مظلة شاطئ {}", "f", "تنتصب"),
        "person": _n("شخص يرتدي سترة {}", "f", "يمشي"),
        "child": _n("طفل يرتدي قميصًا {}", "acc", "يلعب بالكرة"),
        "umbrella_walker": _n("شخص يحمل مظلة {}", "f", "يمشي"),
        "snowman": _n("رجل ثلج بوشاح {}", "m", "يقف"),
        "balloon": _n("منطاد {}", "m", "يحلق"),
        "plane": _n("طائرة بيضاء بذيل {}", "m", "تحلق"),
        "bird_flock": _n("سرب من الطيور", "", "يحلق"),
        "butterfly": _n("فراشة {}", "f", "ترفرف"),
        "kite": _n("طائرة ورقية {}", "f", "تحلق"),
        "moon": _n("قمر مكتمل", "", "يضيء"),
        "rainbow": _n("قوس قزح", "", "يمتد"),
        "vase": _n("مزهرية فيها زهور {}", "f", "توجد"),
        "cup": _n("فنجان قهوة {}", "m", "يوجد"),
        "apple": _n("تفاحة {}", "f", "توجد"),
        "fruit_bowl": _n("وعاء فواكه {}", "m", "يوجد"),
        "cake": _n("كعكة عيد ميلاد بطبقة سكر {}", "f", "توجد"),
        "books": _n("كومة من الكتب", "", "توجد"),
        "clock": _n("ساعة {}", "f", "توجد"),
        "lamp": _n("مصباح أرضي {}", "m", "يقف"),
        "guitar": _n("غيتار {}", "m", "يوجد"),
        "truck": _n("شاحنة {}", "f", "تقف"),
        "elephant": _n("فيل رمادي", "", "يمشي"),
        "giraffe": _n("زرافة", "", "تقف"),
        "camel": _n("جمل", "", "يقف"),
        "penguin": _n("بطريق بوشاح {}", "m", "يقف"),
        "fox": _n("ثعلب أحمر", "", "يقف"),
        "deer": _n("أيل ذو قرون", "", "يقف"),
        "rabbit": _n("أرنب {}", "m", "يجلس"),
        "chicken": _n("دجاجة {}", "f", "تقف"),
        "whale": _n("حوت أزرق", "", "يسبح"),
        "turtle": _n("سلحفاة بحرية", "", "تسبح"),
        "jellyfish": _n("قنديل بحر {}", "m", "يطفو"),
        "octopus": _n("أخطبوط {}", "m", "يسبح"),
        "fish_school": _n("سرب من الأسماك {}", "def_f", "يسبح"),
        "rocket": _n("صاروخ بمقدمة {}", "f", "يطير"),
        "planet": _n("كوكب {} ذو حلقة", "m", "يلمع"),
        "woman": _n("امرأة ترتدي فستانًا {}", "acc", "تقف"),
        "girl": _n("فتاة تحمل بالونًا {}", "acc", "تقف"),
        "footballer": _n("لاعب كرة قدم بقميص {}", "m", "يلعب"),
        "teapot": _n("إبريق شاي {}", "m", "يوجد"),
        "sofa": _n("أريكة {}", "f", "توجد"),
        "potted_plant": _n("نبتة في أصيص {}", "m", "توجد"),
        "christmas_tree": _n("شجرة عيد ميلاد مزينة", "", "تقف"),
    }
    places: ClassVar[dict[str, Place]] = {
        "beach": Place("على الشاطئ", "فوق الشاطئ", "شاطئ", "في البحر قرب الشاطئ"),
        "sea": Place("على شاطئ البحر", "فوق البحر", "بحر", "في البحر"),
        "lake": Place("على ضفة البحيرة", "فوق البحيرة", "بحيرة", "في البحيرة"),
        "harbour": Place("في الميناء", "فوق الميناء", "ميناء", "في الميناء"),
        "underwater": Place("تحت الماء بين المرجان", "فوق الشعاب المرجانية", "شعاب مرجانية"),
        "mountains": Place("في الجبال", "فوق الجبال", "جبال"),
        "forest": Place("في الغابة", "فوق الغابة", "غابة"),
        "meadow": Place("في مرج مليء بالزهور", "فوق مرج مليء بالزهور", "مرج مزهر"),
        "desert": Place("في الصحراء", "فوق الصحراء", "صحراء"),
        "snowfield": Place("في حقل مغطى بالثلج", "فوق حقل مغطى بالثلج", "حقل مغطى بالثلج"),
        "camp": Place("في فسحة وسط الغابة", "فوق فسحة وسط الغابة", "فسحة وسط الغابة"),
        "farm": Place("في مزرعة", "فوق مزرعة", "مزرعة"),
        "city": Place("في شارع في المدينة", "فوق شارع في المدينة", "شارع في المدينة"),
        "village": Place("في قرية", "فوق قرية", "قرية"),
        "park": Place("في الحديقة", "فوق الحديقة", "حديقة"),
        "railway": Place("على السكة الحديدية", "فوق السكة الحديدية", "سكة حديدية"),
        "living_room": Place("في غرفة المعيشة", "", "غرفة معيشة", wall="على جدار غرفة المعيشة"),
        "kitchen": Place("على طاولة المطبخ", "", "طاولة مطبخ", wall="على جدار المطبخ"),
        "space": Place("في الفضاء", "في الفضاء", "فضاء"),
        "river": Place("على ضفة النهر قرب جسر حجري", "فوق نهر عليه جسر حجري", "نهر وجسر حجري", "في النهر قرب جسر حجري"),
        "savannah": Place("في السافانا", "فوق السافانا", "سافانا"),
        "ice": Place("على الجليد قرب البحر القطبي", "فوق البحر القطبي", "جليد قطبي", "في البحر القطبي"),
        "autumn": Place("في غابة خريفية", "فوق غابة خريفية", "غابة خريفية"),
        "lavender": Place("في حقل خزامى", "فوق حقل خزامى", "حقل خزامى"),
        "football": Place("في ملعب كرة قدم", "فوق ملعب كرة قدم", "ملعب كرة قدم"),
    }
    times: ClassVar[dict[str, tuple[str, str]]] = {
        "day": ("في يوم مشمس", "يوم مشمس"),
        "sunset": ("عند غروب الشمس", "غروب الشمس"),
        "night": ("في الليل", "ليل"),
        "rain": ("تحت المطر", "مطر"),
        "snow": ("أثناء تساقط الثلج", "تساقط الثلج"),
        "fog": ("وسط الضباب", "ضباب"),
        "evening": ("في المساء", "مساء"),
    }

    def colour(self, name: str, form: str) -> str:
        """Masculine, feminine (bare or with the article), or the masculine accusative with its written ending."""
        masculine, feminine = _COLOURS[name]
        if form == "def_f":
            return "ال" + feminine
        if form == "acc":
            return masculine + "ًا" if masculine.endswith("ي") else masculine
        return feminine if form == "f" else masculine

    def sentence(self, parts: Parts) -> str:
        """تقف سيارة حمراء على الشاطئ عند غروب الشمس، وبالجوار كلب أسود."""
        verb, _, rest = parts.verb.partition(" ")
        main = " ".join(filter(None, (verb, parts.subject, rest, parts.place, parts.time)))
        return main + "".join(f"، {_WHERE[where]} {things}" for where, things in self.grouped(parts.others)) + "."

    def short(self, subjects: list[str], place: str) -> str:
        """سيارة حمراء وكلب أسود على الشاطئ"""
        return f"{self.listing(subjects)} {place}"


LANGUAGE = Arabic()
