"""What a scene is: a setting, a light, and the subjects in it."""

from dataclasses import dataclass

__all__ = ["Scene", "Subject"]


@dataclass(frozen=True)
class Subject:
    """One thing in a scene; `colour` is a name of `colour.NAMED`, or None where it always looks the same."""

    kind: str
    colour: str | None = None

    @property
    def label(self) -> str:
        """A short name: "red car"."""
        kind = self.kind.replace("_", " ")
        return f"{self.colour} {kind}" if self.colour else kind


@dataclass(frozen=True)
class Scene:
    """A picture before it is painted; the first subject is the main one."""

    setting: str
    time: str  # a name of `light.LIGHTS`: day, sunset, night, rain, snow, fog
    subjects: tuple[Subject, ...]
    seed: int  # decides every detail that captions do not tell
