"""Index runs with Ray: the same results as on one machine, and what lost processes, bad files and mistakes cost."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from core.errors import ClusterFailed, ClusterUnreachable, ExtraMissing, FilesNotShared, MachineUnfit
from encoders import registry
from encoders.base import Encoder
from encoders.mini.encoder import MiniEncoder
from encoders.placement import Placement
from indexer import IndexSettings, Progress, Summary, index
from indexer.cluster import ClusterRunner, ClusterSettings, connection, reachability, readers
from indexer.cluster.connection import RayCluster
from indexer.cluster.encoder_process import EncoderProcess, LoadEncoder
from indexer.cluster.encoders import ModelChoice
from indexer.cluster.readers import FILES_PER_TASK, TASKS_PER_READER, ClusterReaders
from indexer.reader import FileReader
from pictures import batch_reading
from pictures.batch_reading import read_batch
from pictures.reading import ReadRequest, ReadSettings
from store import Library
from store.check import verify
from store.failures import list_failures
from store.ingest.batch_writer import PendingFile
from tests.support.clusters import (
    MisbehavingEncoder,
    Occupant,
    SmallBatches,
    kill,
    load_as_environment_says,
    load_misbehaving,
    load_mistaken,
    load_small_batches,
    ray_processes,
)
from tests.support.frame_files import write_animation, write_pages
from tests.support.indexing import nonzero_counts
from tests.support.photos import photo
from tests.support.readers import KILLED, SEGFAULTS

pytestmark = [
    pytest.mark.servers,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),  # of Ray
]

TABLES = ("pictures", "contents", "embeddings", "frame_embeddings", "frames", "failures", "likenesses")


def index_with_ray(
    library: Library,
    folder: Path,
    encoder: Encoder,
    load: LoadEncoder = registry.load_for_space,
    progress: Progress | None = None,
) -> Summary:
    runner = ClusterRunner(ClusterSettings(load=load))
    return index(library, [folder], encoder, IndexSettings(runner=runner), progress)


def rows(library: Library) -> dict[str, list[tuple[object, ...]]]:
    """Return what the catalogue has, without the times of the run."""
    found = {}
    with library.read() as connection:
        for table in TABLES:
            result = connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1, 2")
            kept = [number for number, name in enumerate(result.keys()) if not name.endswith("_at")]
            found[table] = [tuple(row[number] for number in kept) for row in result]
    return found


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder with pictures of several kinds, files that are none, copies, and files with several frames."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    for number in range(40):
        photo(number, 120 + number, 90).save(folder / f"{number:02d}.jpg")
    shutil.copy(folder / "07.jpg", folder / "copy of 07.jpg")
    shutil.copy(folder / "01.jpg", folder / "zz copy of 01.jpg")
    (folder / "truncated.jpg").write_bytes((folder / "02.jpg").read_bytes()[:700])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.jpg").write_text("not a picture")
    (folder / "dangling.jpg").symlink_to("nowhere")
    Path(os.fsdecode(os.fsencode(folder) + b"/no utf-8 \xff.png")).write_bytes((folder / "03.jpg").read_bytes() + b"3")
    write_pages(folder / "pages.tif", "red", "lime", "blue")
    write_animation(folder / "moves.gif", "red", "blue", milliseconds=4000)
    return folder


@pytest.fixture
def other(tmp_path: Path, empty_library: Path) -> Iterator[Library]:
    """A second library."""
    shutil.copytree(empty_library, tmp_path / "other")
    with Library.open(tmp_path / "other") as opened:
        yield opened


@pytest.mark.parametrize(
    ("make", "load"), [(SmallBatches, load_small_batches), (MiniEncoder, registry.load_for_space)], ids=["fake", "mini"]
)
def test_results_equal_those_of_a_local_run(
    ray_cluster: RayCluster,
    library: Library,
    other: Library,
    hostile: Path,
    make: Callable[[], Encoder],
    load: LoadEncoder,
) -> None:
    expected = index(library, [hostile], make())
    found = index_with_ray(other, hostile, make(), load)
    assert nonzero_counts(found) == nonzero_counts(expected)
    assert found.new == 45
    assert found.failed == 3
    assert found.timings.keys() == {*expected.timings, "start"}
    assert rows(other) == rows(library)

    shutil.copy(hostile / "05.jpg", hostile / "later copy.jpg")  # its size is known, and its content embedded
    (hostile / "06.jpg").write_bytes(bytes(reversed((hostile / "06.jpg").read_bytes())))  # its size is known
    photo(99, 300, 200).save(hostile / "08.jpg")
    (hostile / "09.jpg").rename(hostile / "moved.jpg")
    (hostile / "10.jpg").unlink()
    expected = index(library, [hostile], make())
    found = index_with_ray(other, hostile, make(), load)
    assert nonzero_counts(found) == nonzero_counts(expected)
    assert (found.moved, found.duplicates, found.missing) == (1, 1, 1)
    assert rows(other) == rows(library)
    assert verify(other) == []


def test_file_that_crashes_its_reader_is_recorded_and_costs_no_other(
    ray_cluster: RayCluster, library: Library, tmp_path: Path
) -> None:
    folder = tmp_path / "crashing"
    folder.mkdir()
    for number in range(20):
        width = {3: SEGFAULTS, 11: KILLED}.get(number, 50)
        Image.new("RGB", (width, 50), (200, number, 0)).save(folder / f"{number:02d}.png")
    found = index_with_ray(library, folder, MisbehavingEncoder(), load_misbehaving)
    assert nonzero_counts(found) == {"new": 18, "failed": 2, "embedded": 18}
    assert {failure.path.name: (failure.reason, failure.detail) for failure in list_failures(library)} == {
        "03.png": ("crashed", "the decoder crashed (signal 11, SIGSEGV)"),
        "11.png": ("crashed", "the decoder crashed (signal 9, SIGKILL, perhaps for lack of memory)"),
    }


def test_file_that_crashes_the_model_is_recorded_and_costs_no_other(
    ray_cluster: RayCluster, library: Library, tmp_path: Path, paint: Callable[..., Path]
) -> None:
    for number in range(6):
        paint(tmp_path / f"crashing/{number}.png", (0, 0, 0) if number == 2 else (200, number, 0))
    found = index_with_ray(library, tmp_path / "crashing", MisbehavingEncoder(), load_misbehaving)
    assert nonzero_counts(found) == {"new": 5, "failed": 1, "embedded": 5}
    (failure,) = list_failures(library)
    assert (failure.path.name, failure.reason) == ("2.png", "crashed")
    assert failure.detail == "the process with the model ended 3 times while it embedded this file"


class Killing(Progress):
    """Kills a process after each batch: in turns one that reads and one that has the model."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.killed = {"ray::read": 0, "ray::Encoder": 0}

    def advance(self, files: int) -> None:  # noqa: ARG002 (of the base class)
        turn = min(self.killed, key=lambda name: self.killed[name])
        if sum(self.killed.values()) < self.most:
            self.killed[turn] += kill(ray_processes(turn))


@pytest.mark.parametrize("kills", [4, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_processes_cost_nothing(ray_cluster: RayCluster, library: Library, tmp_path: Path, kills: int) -> None:
    number = kills * 24
    (tmp_path / "photos").mkdir()
    for each in range(number):
        Image.new("RGB", (400, 300), (each % 256, each // 256, 99)).save(tmp_path / f"photos/{each:04d}.png")
    killing = Killing(kills)
    found = index_with_ray(library, tmp_path / "photos", SmallBatches(), load_small_batches, killing)
    assert sum(killing.killed.values()) == kills
    assert killing.killed["ray::Encoder"] >= kills // 4
    assert nonzero_counts(found) == {"new": number, "embedded": number}
    with library.read() as connection:
        for table in ("pictures", "contents", "embeddings"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == number
    assert verify(library) == []


def test_stop_between_batches_keeps_what_was_written(ray_cluster: RayCluster, library: Library, hostile: Path) -> None:
    class Stopping(Progress):
        batches = 0

        def check(self) -> None:
            self.batches += 1
            if self.batches == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index_with_ray(library, hostile, SmallBatches(), load_small_batches, Stopping())
    with library.read() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM embeddings").scalar()
    assert before == 16  # two batches
    index_with_ray(library, hostile, SmallBatches(), load_small_batches)
    assert len(rows(library)["embeddings"]) == 43
    assert len(rows(library)["pictures"]) == 48
    assert verify(library) == []


def test_only_a_bounded_number_of_files_is_read_ahead(ray_cluster: RayCluster, tmp_path: Path) -> None:
    taken = 0

    def items() -> Iterator[PendingFile]:
        nonlocal taken
        for taken in range(1, 1_001):
            yield PendingFile(b"%04d.jpg" % taken, size_is_known=False)

    for number in range(1, 1_001):
        (tmp_path / f"{number:04d}.jpg").write_bytes(b"")
    cluster_readers = ClusterReaders(ray_cluster, ReadSettings(SmallBatches().preprocess))
    reading = cluster_readers.read(FileReader(tmp_path, lambda _: False), items())
    next(reading)
    assert taken == 2 * TASKS_PER_READER * FILES_PER_TASK  # two cores
    assert len(list(reading)) == 999


def test_task_reads_no_further_file_after_many_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ReadSettings(SmallBatches().preprocess)
    requests = []
    for name in ("a", "b", "c"):
        write_pages(tmp_path / f"{name}.tif", "red", "lime")
        requests.append(ReadRequest((os.fsencode(tmp_path / f"{name}.tif"),)))
    monkeypatch.setattr(batch_reading, "MAX_BATCH_BYTES", 3 * 8 * 8 * 3)  # three of the four frames of two files
    report, *pixels = read_batch(requests, settings)
    assert len(report.files) == 2
    assert [len(frames) for frames in pixels] == [2, 2, 0]


def test_files_left_by_a_task_are_read_by_another(ray_cluster: RayCluster, library: Library, tmp_path: Path) -> None:
    """Each document has 40 MB of pixels, so that a task reads one only."""
    for name in ("a", "b", "c"):
        write_pages(tmp_path / f"scans/{name}.tif", *["red"] * 100, sizes=[(8, 8 + ord(name))] * 100)
    found = index_with_ray(library, tmp_path / "scans", MiniEncoder())
    assert found.new == 3
    assert found.embedded == 300


def test_machine_that_does_not_have_the_files_is_named(ray_cluster: RayCluster, library: Library, album: Path) -> None:
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc")
    opened = os.open(album, os.O_RDONLY)
    try:
        os.dup2(opened, 900)  # a path that other processes do not have
        with pytest.raises(FilesNotShared, match=r"cannot read /proc/self/fd/900/blue\.png, which this machine can"):
            index_with_ray(library, Path("/proc/self/fd/900"), SmallBatches(), load_small_batches)
    finally:
        os.close(opened)
        os.close(900)


def test_machine_with_another_model_is_refused(ray_cluster: RayCluster, library: Library, album: Path) -> None:
    with pytest.raises(MachineUnfit, match="its model is mini"):
        index_with_ray(library, album, SmallBatches(), load_mistaken)


def test_run_says_when_others_use_all_cores(
    ray_cluster: RayCluster, library: Library, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CHECK_SECONDS", 0.3)
    monkeypatch.setattr(readers, "NOTICE_SECONDS", 1.0)
    occupant = ray_cluster.ray.remote(num_cpus=2)(Occupant).remote()
    ray_cluster.ray.get(occupant.ready.remote())

    messages = list[str]()

    class Warned(Progress):
        def warn(self, message: str) -> None:
            messages.append(message)
            ray_cluster.ray.kill(occupant)

    found = index_with_ray(library, album, SmallBatches(), load_small_batches, Warned())
    assert found.new == 4
    assert messages == ["the run waits for the cluster to read a file; other programs may use all of its cores"]


def test_run_ends_when_ray_has_ended_here(
    ray_cluster: RayCluster, library: Library, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CHECK_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        gone = f"127.0.0.1:{closed.getsockname()[1]}"
    alive = ray_cluster.alive
    never = ray_cluster.ray.remote(num_cpus=3)(read_batch).remote((), None)  # there are two cores
    with pytest.raises(ClusterFailed, match="Ray has ended on this machine"):
        replace(ray_cluster, alive=replace(alive, here=gone)).get(never)
    monkeypatch.setattr(reachability, "GONE_SECONDS", 0.5)
    with pytest.raises(ClusterFailed, match=rf"its first machine \({gone}\) cannot be reached any more"):
        replace(ray_cluster, alive=replace(alive, first=gone)).get(never)
    ray_cluster.ray.cancel(never)
    assert index_with_ray(library, album, SmallBatches(), load_small_batches).new == 4


def test_environment_of_the_run_decides_how_machines_run_the_model(
    ray_cluster: RayCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    placement = Placement()
    assert ModelChoice(load_small_batches, SmallBatches().space, placement).may_use_gpu
    monkeypatch.setenv("SIGHTLINE_DEVICE", "CPU")
    monkeypatch.setenv("SIGHTLINE_RUNTIME", "torch")
    monkeypatch.delenv("SIGHTLINE_PRECISION", raising=False)
    model = ModelChoice(load_small_batches, SmallBatches().space, placement)
    assert not model.may_use_gpu
    assert model.variables == {"SIGHTLINE_DEVICE": "CPU", "SIGHTLINE_RUNTIME": "torch"}
    process = ray_cluster.ray.remote(EncoderProcess).remote(
        load_as_environment_says, model.space, placement, {"SIGHTLINE_RUNTIME": "onnx"}
    )
    assert "SIGHTLINE_RUNTIME is onnx" in ray_cluster.ray.get(process.facts.remote()).refusal


def test_run_without_new_files_starts_nothing(library: Library, album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index(library, [album], SmallBatches())
    monkeypatch.setattr("indexer.cluster.runner.open_cluster", pytest.fail)
    assert nonzero_counts(index_with_ray(library, album, SmallBatches())) == {"unchanged": 4}


def test_missing_extra_is_named(library: Library, album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reachability, "find_spec", lambda _: None)
    with pytest.raises(ExtraMissing, match=r"pip install 'sightline\[ray\]'"):
        index_with_ray(library, album, SmallBatches())


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1:1", "refused"),
        ("nonsense", "HOST:PORT"),
        ("ray://127.0.0.1:1", "HOST:PORT"),
        (":", "HOST:PORT"),
        ("127.0.0.1:99999", "HOST:PORT"),
        ("no-such-host.invalid:6379", "no-such-host.invalid"),
        ("a..b:6379", "a..b"),
    ],
)
def test_unreachable_cluster_is_an_error(library: Library, album: Path, address: str, reason: str) -> None:
    runner = ClusterRunner(ClusterSettings(address))
    with pytest.raises(ClusterUnreachable, match=reason):
        index(library, [album], SmallBatches(), IndexSettings(runner=runner))


def test_port_of_another_program_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray itself would try for ever."""
    monkeypatch.setattr(reachability, "ANSWER_SECONDS", 3.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        reachability.require_reachable(address)
        with pytest.raises(ClusterUnreachable, match="no Ray cluster that this machine is part of has answered"):
            reachability.require_answer(address)
