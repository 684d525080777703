"""The table of what contents look like, and which group of near-duplicates each is in.

Both can be made again from the pictures: nobody's work is in them.
"""

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from store.catalog.tables import Base

__all__ = ["Likeness"]


class Likeness(Base):
    """The perceptual hash of one content. A content without a row has not been looked at yet."""

    __tablename__ = "likenesses"

    content_id: Mapped[int] = mapped_column(ForeignKey("contents.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int]
    """Of the code that made the hash; hashes of two versions are not compared."""
    bits: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """None where the picture is too plain to have one."""
    anchor_id: Mapped[int | None] = mapped_column(ForeignKey("contents.id", ondelete="SET NULL"), index=True)
    """The content at whose side it stands: every member of a group is near its anchor, which is its own. None when it
    has not been compared yet, or again when its anchor was forgotten."""
