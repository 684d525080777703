"""One example of every exception of the library."""

from collections.abc import Mapping
from pathlib import Path

from core import errors
from core.errors import SightlineError

__all__ = ["EXAMPLES"]

_PATH = Path("/photos")
_EXAMPLES: tuple[SightlineError, ...] = (
    SightlineError("Something is wrong."),
    errors.AddressUnavailable("127.0.0.1", 8765, "address already in use", is_in_use=True),
    errors.AlbumIsRanked("Rome"),
    errors.AmbiguousSpace("mini", ("mini 1a2b", "mini 3c4d")),
    errors.BadCheckpoint(_PATH, "it cannot be read"),
    errors.BadVectorFile(_PATH, "holds no vectors"),
    errors.BadVectors("mini", "not all values are finite"),
    errors.CaptionVectorsRequired("clip"),
    errors.CheckpointIsSegmenter(_PATH),
    errors.ContentNotEmbedded(7),
    errors.DamagedVectors("mini"),
    errors.DatasetError(_PATH, "not JSON", 3),
    errors.DecoderCrashed("the decoder crashed (signal 11, SIGSEGV)"),
    errors.DeviceUnavailable("cuda:9", "there is no such device"),
    errors.DownloadFailed("a/b", "no connection", "Copy the files yourself.", by_hand=True),
    errors.EmptyQuery(has_negative_parts=True),
    errors.EncoderError("The model is unusable."),
    errors.EvaluationError("There is nothing to measure."),
    errors.ExchangeError("The folder cannot be written."),
    errors.ExtraMissing("Parquet", "parquet"),
    errors.FileTooLarge(2_000, 1_000),
    errors.FolderExcluded(_PATH / ".trash", _PATH),
    errors.FolderNotFound(_PATH),
    errors.FolderUnreadable(_PATH, "permission denied"),
    errors.HomeFolderNotFound("SIGHTLINE_LIBRARY"),
    errors.ImportedSpaceHasNoModel("clip"),
    errors.IncomparableEvaluations("mini", "fake", ("q1",)),
    errors.IndexFault(_PATH, "missing"),
    errors.InvalidQuery("This is not a filter."),
    errors.InvalidTag("!"),
    errors.LibraryBusy(_PATH),
    errors.LibraryError(_PATH, "The library is unusable."),
    errors.LibraryNotFound(_PATH),
    errors.LibraryTooNew(_PATH, "0009"),
    errors.LibraryUnusable(_PATH, "disk full"),
    errors.LicenceNotAllowed("a/b", "cc-by-nc-4.0"),
    errors.MissingPictures(_PATH, ("a.jpg",)),
    errors.MissingVectors("mini", ("a.jpg",)),
    errors.ModelUnavailable("a/b", "its files", pull="a/b"),
    errors.NothingIndexed(_PATH),
    errors.PathNotIndexed(_PATH),
    errors.PictureError("broken"),
    errors.PictureTooLarge(90_000, 90_000, "more than 100,000,000 in all"),
    errors.PictureUndecodable("broken"),
    errors.PictureUnreadable("permission denied"),
    errors.PictureUnsupported("HEIC needs an extra"),
    errors.PluginError("sightline.encoders", "mine", "mine:Encoder", "unexpected type int"),
    errors.QuerySyntax("a + + b", 4, "Two operators in a row", is_operator=True),
    errors.RelevanceNotCalibrated("fake"),
    errors.RelevanceNotCalibrated("mini", "word"),
    errors.RootUnavailable(_PATH, 70, 2),
    errors.SpaceDropped("mini"),
    errors.SpaceExists("clip", is_imported=True),
    errors.SpaceInUse("mini", "it is the active space"),
    errors.SpaceIncomplete("mini", 3, 9, (_PATH,)),
    errors.SpaceMismatch("mini 1a2b", "fake 3c4d"),
    errors.UnknownAlbum("Rome", ("Oslo",)),
    errors.UnknownIndexEngine("hnsw", ("flat",)),
    errors.UnknownLanguage(_PATH, "de", ("en",)),
    errors.UnknownMetric("mrr", ("R@k",)),
    errors.UnknownModel("clop", ("mini",)),
    errors.UnknownSpace("clop", ("mini",)),
    errors.UnknownSplit(_PATH, "test", ("train",)),
    errors.UnsafeServerSettings("0.0.0.0 can be reached from other machines.", host="0.0.0.0"),
    errors.WeightsChanged("mini 1a2b", "mini 3c4d", "mini"),
)

EXAMPLES: Mapping[type[SightlineError], SightlineError] = {type(error): error for error in _EXAMPLES}
"""Exception class to an example of it."""
