"""A second model, so that a library can change its model while commands are killed."""

import os
import sys
from pathlib import Path

from encoders import registry

__all__ = ["PAINT", "install_paint"]

PAINT = "paint"

PLUGIN = '''"""A second model of colours, which takes red for blue."""

from core.space import Space
from encoders.fake import FakeEncoder


class Paint(FakeEncoder):
    def __init__(self):
        super().__init__()
        self.space = Space("paint", "none", 13, self.space.preprocessing)

    def forward_images(self, pixels):
        return super().forward_images(pixels[:, ::-1])

    def forward_texts(self, texts):
        return super().forward_texts(texts)[:, [2, 1, 0, 5, 4, 3, 8, 7, 6, 11, 10, 9, 12]]
'''


def install_paint(site: Path) -> None:
    """Install the model for this process and those that it starts."""
    info = site / "paint_model-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "paint_model.py").write_text(PLUGIN, encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: paint_model\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(
        f"[{registry.ENCODERS.group}]\n{PAINT} = paint_model:Paint\n", encoding="utf-8"
    )
    sys.path.insert(0, str(site))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
