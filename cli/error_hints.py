"""What to do in the terminal about each of the library's errors, whose messages name no command or option."""

import shlex
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any

from cli.suggestions import command
from core import errors
from core.errors import SightlineError

DEFAULT_MODEL = "mini"
"""Only where models that embed pictures were asked for, this one is among those to choose from."""

__all__ = ["HINTS", "describe_error", "hint_for", "installation_of"]


def hint_for(error: BaseException | None) -> str:
    """Return what the user can do about `error`, or an empty string.

    An error without a hint of its own, such as one that adds a line number to another, has the hint of its cause.
    """
    while error is not None:
        for kind in type(error).__mro__:
            if kind in HINTS:
                return HINTS[kind](error)
        error = error.__cause__
    return ""


def describe_error(error: SightlineError) -> str:
    """Return the message of `error`, followed by its hint on a line of its own."""
    hint = hint_for(error)
    return f"{error}\nHint: {hint}" if hint else str(error)


def installation_of(extra: str) -> str:
    """Return the command that installs an extra.

    It names the environment: another pip would install another project of the same name.
    """
    python = shlex.quote(sys.executable)
    installer = f"{python} -m pip install" if find_spec("pip") else f"uv pip install --python {python}"
    return f"{installer} 'sightline[{extra}]'"


def _extra(error: errors.ExtraMissing) -> str:
    return f"`{installation_of(error.extra)}` installs them into this environment."


def _home_folder(error: errors.HomeFolderNotFound) -> str:
    option = "--library or " if error.variable == "SIGHTLINE_LIBRARY" else ""
    return f"Name a folder with {option}{error.variable}."


def _folder_not_found(error: errors.FolderNotFound) -> str:
    return f"{command(f'index {shlex.quote(str(error.path.parent))}')} indexes its folder." if error.is_file else ""


def _model(error: errors.ModelUnavailable) -> str:
    return f"`sightline models pull {error.pull}` downloads what is missing." if error.pull else ""


def _unknown_model(error: errors.UnknownModel) -> str:
    return "`sightline models list` lists models to download, too." if DEFAULT_MODEL in error.known else ""


def _device(error: errors.DeviceUnavailable) -> str:
    is_gpu = error.name.partition(":")[0] in ("cuda", "mps")
    return "--device cpu uses the processor." if is_gpu else ""


def _download(error: errors.DownloadFailed) -> str:
    pull = f"`sightline models pull {error.name} --from FOLDER`"
    return f"Then {pull} installs the files from that folder." if error.by_hand else ""


def _weights_changed(error: errors.WeightsChanged) -> str:
    return (
        f"{command(f'models use {shlex.quote(error.model)}')} embeds the pictures again and then searches with the "
        f"installed model. Until then, {command('similar')} finds pictures like one in the library."
    )


def _space_exists(error: errors.SpaceExists) -> str:
    return "Choose another name, or replace the space with --replace." if error.is_imported else ""


def _syntax(error: errors.QuerySyntax) -> str:
    return "Use --plain to search for the text as it is." if error.is_operator else ""


def _server(error: errors.UnsafeServerSettings) -> str:
    return "Give a token with --token or SIGHTLINE_TOKEN." if error.host else ""


HINTS: Mapping[type[BaseException], Callable[[Any], str]] = MappingProxyType(
    {
        errors.ClusterUnreachable: lambda _: "`ray start --address HOST:PORT` makes this machine part of a cluster.",
        errors.ExtraMissing: _extra,
        errors.HomeFolderNotFound: _home_folder,
        errors.LibraryNotFound: lambda error: f"{command('index FOLDER', error.path)} creates one.",
        errors.LibraryBusy: lambda _: "Another program changes it at this moment. Try again.",
        errors.LibraryTooNew: lambda _: "Upgrade Sightline.",
        errors.LibraryDamaged: lambda error: (
            "Restore its database from a backup of the server."
            if isinstance(error.path, str)
            else f"{command('repair', error.path)} saves what can be read, and keeps the damaged files. If the disk is "
            "failing, copy the library to another one first."
        ),
        errors.LibraryUnreachable: lambda _: (
            "Check that the server runs, that the database exists, and the address, user and password."
        ),
        errors.LibraryReadOnly: lambda error: (
            "Ask for the permission to write, or name the server that the others follow with --library."
            if isinstance(error.path, str)
            else "Change the permissions of its folder, or copy it to a place that you may write to and name the copy "
            "with --library."
        ),
        errors.LibraryOutdated: lambda error: (
            f"{command('status', error.path)} upgrades it, if it may be written to. Copy it first if it may not."
        ),
        errors.ForeignRoot: lambda error: f"--root {shlex.quote(error.path)}=FOLDER says where they are.",
        errors.IndexEngineNotCleared: lambda _: f"{command('repair')} removes them when the engine can be reached.",
        errors.IndexEngineUnavailable: lambda _: (
            "SIGHTLINE_INDEX_ENGINE names the engine to use; flat needs no server."
        ),
        errors.UnknownIndexEngine: lambda _: "SIGHTLINE_INDEX_ENGINE names the engine to use.",
        errors.TargetNotEmpty: lambda _: "Name a folder that does not exist yet, or an empty database.",
        errors.MigrationFailed: lambda error: (
            "The library is not damaged, but that database stores no such value. Change it in the library, such as the "
            "name of a file or a tag, and migrate again."
            if error.is_limit
            else f"{command('verify')} lists damage of the library, {command('repair')} repairs it."
        ),
        errors.RootUnavailable: lambda _: "If the pictures are really gone, run again with --accept-missing.",
        errors.RootElsewhere: lambda error: (
            f"{command(f'move-root {shlex.quote(str(error.root))} {shlex.quote(str(error.here))}')} says it was moved, "
            "and with --here that only this machine has it there."
        ),
        errors.RootNotHere: lambda _: (
            f"{command('move-root OLD NEW --here')} says where this machine has it. If its files have changed, run "
            "again with --accept-missing."
        ),
        errors.RootMismatch: lambda _: "If this is the right folder all the same, run again with --force.",
        errors.UnknownRoot: lambda _: f"{command('status')} lists the folders of the library.",
        errors.SnapshotTooNew: lambda _: "Upgrade Sightline.",
        errors.SnapshotDamaged: lambda _: f"{command('backup --list')} lists other snapshots, and checks them.",
        errors.FolderNotFound: _folder_not_found,
        errors.FolderExcluded: lambda _: (
            "Include it with --include-hidden or --follow-links, or edit .sightlineignore."
        ),
        errors.ModelUnavailable: _model,
        errors.UnknownModel: _unknown_model,
        errors.ImportedSpaceHasNoModel: lambda _: (
            f"{command('similar')} finds pictures and documents like a stored one."
        ),
        errors.CheckpointIsSegmenter: lambda _: f"{command('highlight')} can use it.",
        errors.DeviceUnavailable: _device,
        errors.DownloadFailed: _download,
        errors.LicenceNotAllowed: lambda _: "--commercial or SIGHTLINE_COMMERCIAL=1 requires such a licence.",
        errors.SpaceMismatch: lambda _: (
            f"{command('models use MODEL')} changes the library's model; --library DIR uses another library."
        ),
        errors.WeightsChanged: _weights_changed,
        errors.SpaceIncomplete: lambda _: "Run again when the files are available, or with --accept-missing.",
        errors.SpaceExists: _space_exists,
        errors.DamagedVectors: lambda _: (
            f"{command('verify')} lists the damage, {command('repair')} removes the vectors."
        ),
        errors.NothingIndexed: lambda _: f"{command('index FOLDER')} indexes a folder of pictures.",
        errors.EmptyQuery: lambda _: "--image names a picture; --in, --where and others list pictures without a query.",
        errors.ContentNotEmbedded: lambda _: f"{command('search --json')} shows the IDs.",
        errors.AlbumIsRanked: lambda error: f"{command(f'album show {shlex.quote(error.name)}')} shows its pictures.",
        errors.QuerySyntax: _syntax,
        errors.RelevanceNotCalibrated: lambda _: "Use --min-score in place of --relevant.",
        errors.CaptionVectorsRequired: lambda _: "Name a file of them with --query-vectors.",
        errors.MissingPictures: lambda _: "--pictures DIR names the folder of the pictures.",
        errors.MissingVectors: lambda _: f"{command('index')} embeds them.",
        errors.UnsafeServerSettings: _server,
        errors.AddressUnavailable: lambda error: "--port 0 takes any free port." if error.is_in_use else "",
    }
)
"""Exception class to its hint; a subclass without an entry has its base class's."""
