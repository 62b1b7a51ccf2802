"""Trust in HDF5: which links, storage, types, shapes and attributes of a file are read.

A file of this package has hard links only; contiguous, chunked or (over its own shards) virtual
storage; plain numbers; and short attributes. All of this is checked before any value is read.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
from h5py import h5a, h5d, h5g, h5l, h5o, h5p, h5s, h5t, h5z

from deepbench_torch.storage.trust.files import refused, regular_file

MOST_OBJECTS = 4096  # groups and datasets
DEEPEST = 4  # groups within each other
MOST_ATTRIBUTES = 64  # of one object
MOST_VALUES = 4096  # of one attribute
MOST_TEXT = 1 << 16  # bytes of an attribute of fixed length
CHUNK_BYTES = 1 << 20  # of a chunk, unless one row is larger
OVERHEAD = 1 << 24  # bytes of a file that belong to no dataset
EACH_PIECE = 1024  # bytes that HDF5 needs to describe a chunk or a virtual source
ARRAYS = ("classes", "shard")  # attributes of the file that hold several values
_FILTERS = {h5z.FILTER_DEFLATE: "gzip", h5z.FILTER_LZF: "lzf"}
_PLAIN = {h5t.INTEGER, h5t.FLOAT, h5t.ENUM}


class Storage(NamedTuple):
    """Storage of one dataset.

    Attributes:
        name: Its path in the file.
        size: Its bytes in the file.
        pieces: Its chunks or virtual sources.
        virtual: Its properties if its values come from other files, else None.
    """

    name: str
    size: int
    pieces: int
    virtual: h5p.PropDCID | None = None


def check_hdf5(file: h5py.File, path: Path) -> None:
    """Check that reading a file reads nothing but the file.

    Args:
        file: The open file.
        path: Its path, for messages.

    Raises:
        ValueError: If a link, the storage, a type, a shape or an attribute is not as this package
            writes it.
    """
    size = regular_file(path)
    datasets = []
    for name, item in _objects(file.id, path):
        _check_attributes(item, name, path=path)
        if isinstance(item, h5d.DatasetID):
            datasets.append(_storage(item, name, path=path, most=size))
    spare = size - sum(each.size for each in datasets)
    pieces = sum(each.pieces for each in datasets)
    if spare > OVERHEAD + EACH_PIECE * pieces:
        raise refused(path, "a file of its datasets alone", f"{spare:,} bytes beside them")
    _check_sources(datasets, file, path=path)


def _objects(file: h5g.GroupID, path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the groups and datasets of a file with their paths, each reached by hard links."""
    root = h5g.open(file, b"/")
    waiting, seen = [("", root)], 1
    yield "/", root
    while waiting:
        above, group = waiting.pop()
        seen += group.get_num_objs()
        if seen > MOST_OBJECTS or above.count("/") >= DEEPEST:
            raise refused(path, f"at most {MOST_OBJECTS} groups and datasets", "more, or in depth")
        for name in list(group):
            text = f"{above}{name.decode('utf-8', 'backslashreplace')}"
            item = _opened(group, name, text=text, path=path)
            if isinstance(item, h5g.GroupID):
                waiting.append((f"{text}/", item))
            yield text, item


def _opened(group: h5g.GroupID, name: bytes, *, text: str, path: Path) -> Any:
    """Return a group or dataset, if it is one and no link that leads elsewhere."""
    kind = group.links.get_info(name).type
    if kind != h5l.TYPE_HARD:
        kinds = {h5l.TYPE_SOFT: "a soft link", h5l.TYPE_EXTERNAL: "a link to another file"}
        raise refused(path, f"data at {text!r}", kinds.get(kind, "a link of unknown kind"))
    item = h5o.open(group, name)
    if not isinstance(item, h5g.GroupID | h5d.DatasetID):
        raise refused(path, f"a group or dataset at {text!r}", type(item).__name__)
    return item


def _check_attributes(item: Any, name: str, *, path: Path) -> None:
    """Refuse attributes that are no short plain values."""
    count = h5a.get_num_attrs(item)
    if count > MOST_ATTRIBUTES:
        raise refused(path, f"at most {MOST_ATTRIBUTES} attributes of {name!r}", count)
    for index in range(count):
        attribute = h5a.open(item, index=index)
        title = f"attribute {attribute.name.decode('utf-8', 'backslashreplace')!r} of {name!r}"
        wrong = _type_name(attribute.get_type(), text=True)
        if wrong is not None:
            raise refused(path, f"numbers or text as {title}", wrong)
        space = attribute.get_space()
        several = name != "/" or attribute.name.decode() in ARRAYS
        rank = space.get_simple_extent_ndims()
        if space.get_simple_extent_type() == h5s.NULL or rank > several:
            raise refused(path, f"one value as {title}", f"an array of {rank} dimensions")
        length, bytes_ = space.get_simple_extent_npoints(), attribute.get_storage_size()
        if length > MOST_VALUES or bytes_ > MOST_TEXT:
            raise refused(path, f"a short {title}", f"{length:,} values of {bytes_:,} bytes")


def _storage(dataset: h5d.DatasetID, name: str, *, path: Path, most: int) -> Storage:
    """Return how a dataset is stored, if its values are in the file and fill its shape."""
    plist = dataset.get_create_plist()
    if plist.get_external_count():
        raise refused(path, f"the values of {name!r} in the file", "external storage")
    kind = dataset.get_type()
    wrong = _type_name(kind, text=name == "shards/seal" and not h5t.check_dtype(vlen=kind.dtype))
    if wrong is not None:
        raise refused(path, f"numbers in {name!r}", wrong)
    if plist.get_layout() == h5d.VIRTUAL:  # before its shape: that may open the sources
        return Storage(name, 0, plist.get_virtual_count(), plist)
    space = dataset.get_space()
    if space.get_simple_extent_type() != h5s.SIMPLE or space.get_simple_extent_ndims() > 8:
        raise refused(path, f"an array in {name!r}", "a single value, none, or more than 8 axes")
    expected = space.get_simple_extent_npoints() * dataset.get_type().get_size()
    if plist.get_layout() == h5d.CHUNKED:
        return _chunked(dataset, name, path=path, most=most)
    found = dataset.get_storage_size()
    if plist.get_layout() != h5d.CONTIGUOUS or found != expected or found > most:
        raise refused(path, f"{expected:,} bytes in {name!r}", f"{found:,} in {most:,} of the file")
    if found and (dataset.get_offset() or 0) + found > most:
        raise refused(path, f"the values of {name!r} in the file", "a place after its end")
    return Storage(name, found, 0)


def _chunked(dataset: h5d.DatasetID, name: str, *, path: Path, most: int) -> Storage:
    """Return how a compressed dataset is stored, after checking the size of its chunks."""
    plist, shape = dataset.get_create_plist(), dataset.shape
    chunk, row = plist.get_chunk(), dataset.get_type().get_size()
    for extent in shape[1:]:
        row *= extent
    filters = [plist.get_filter(number)[0] for number in range(plist.get_nfilters())]
    if len(filters) != 1 or filters[0] not in _FILTERS:
        raise refused(path, f"{name!r} compressed by gzip or lzf", f"filters {filters}")
    if chunk[1:] != shape[1:] or chunk[0] * row > max(CHUNK_BYTES, row):
        raise refused(path, f"chunks of {name!r} of at most a mebibyte or a row", chunk)
    found, needed = dataset.get_num_chunks(), -(-shape[0] // chunk[0])
    if found != needed or row > most * 1100:  # gzip shrinks by at most 1032
        raise refused(path, f"{needed:,} chunks of {name!r}", f"{found:,}")
    raw = chunk[0] * row
    sizes: list[int] = []
    dataset.chunk_iter(lambda each: sizes.append(each.size))
    if max(sizes, default=0) > raw + raw // 256 + 64:  # gzip of noise
        raise refused(path, f"at most {raw:,} bytes a chunk of {name!r}", f"{max(sizes):,}")
    return Storage(name, sum(sizes), found)


def _check_sources(datasets: list[Storage], file: h5py.File, *, path: Path) -> None:
    """Refuse virtual data whose sources are other files than the shards beside this one."""
    # in the names of sources HDF5 takes % as the beginning of a pattern, and %% for the letter
    folder = str(file.attrs.get("shard_folder", "")).replace("%", "%%")
    known: set[str] = set()  # there are many sources, but each shard is one of every dataset
    for each in datasets:
        if each.virtual is None:
            continue
        for number in range(each.pieces):
            source = each.virtual.get_virtual_filename(number)
            above, _, shard = source.rpartition("/")
            if source not in known and (above != folder or not is_shard_name(shard)):
                rule = f"{each.name!r} from its own shards"
                raise refused(path, rule, f"virtual data of {source!r}")
            known.add(source)


def is_shard_name(name: str) -> bool:
    """Return whether a name is one of a shard: two numbers of rows of twelve digits."""
    stem, dot, end = name.rpartition(".")
    first, dash, last = stem.partition("-")
    numbers = all(len(each) == 12 and each.isdecimal() and each.isascii() for each in (first, last))
    return numbers and (dash, dot, end) == ("-", ".", "h5")


def _type_name(kind: h5t.TypeID, *, text: bool) -> str | None:
    """Return the name of a type that is not read; None if it is plain."""
    if kind.get_class() in _PLAIN and kind.get_size() <= 8:
        return None
    if text and kind.get_class() == h5t.STRING:
        return None
    names = {
        h5t.STRING: "text",
        h5t.COMPOUND: "compound values",
        h5t.REFERENCE: "references",
        h5t.VLEN: "values of variable length",
        h5t.ARRAY: "arrays",
        h5t.OPAQUE: "opaque values",
        h5t.BITFIELD: "bit fields",
    }
    return names.get(kind.get_class(), "values of another type")
