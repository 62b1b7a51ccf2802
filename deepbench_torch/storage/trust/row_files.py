"""Trust in the files of single rows: JPEG and FITS of known shape, decoded from a bounded size."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL.JpegImagePlugin import JpegImageFile

from deepbench_torch.storage.reading import reading, refusal
from deepbench_torch.storage.trust.files import refused, regular_file

BLOCK = 2880  # bytes; FITS files are complete blocks
CARD = 80  # bytes of a line of a header
MOST_HEADER = 1 << 20  # bytes

Array = np.ndarray[Any, np.dtype[Any]]


def read_jpeg(path: Path, height: int, width: int) -> Array:
    """Return the grey pixels of a JPEG file, uint8 of shape (height, width).

    Raises:
        ValueError: If it is another kind of file, damaged, or of another size.
    """
    content = _content(path, most=MOST_HEADER + 4 * height * width)
    try:
        # not Image.open, which tries every format that Pillow knows
        with JpegImageFile(io.BytesIO(content)) as image:
            if (image.size, image.mode) != ((width, height), "L"):
                got = f"{image.size[0]} x {image.size[1]} of mode {image.mode}"
                raise refused(path, f"a grey image of {width} x {height} pixels", got)
            return np.asarray(image)
    except Exception as error:  # Pillow raises many, SyntaxError among them
        if str(path) in str(error) or refusal(error) is not None:
            raise
        raise refused(path, "a complete JPEG image", f"{type(error).__name__}: {error}") from error


def read_fits(path: Path, shape: tuple[int, ...]) -> Array:
    """Return the float32 data of the first image of a FITS file, which has some shape.

    The header is read as this package writes it: 32-bit floats, neither scaled nor compressed. More
    images may follow if it states their number, NEXTEND; they are not read.

    Raises:
        ValueError: If it is another kind of file, damaged, or of another shape.
    """
    axes = [b"%-8s= %20d" % (b"NAXIS%d" % (axis + 1), n) for axis, n in enumerate(shape[::-1])]
    begin = [
        b"SIMPLE  = %20s" % b"T",
        b"BITPIX  = %20d" % -32,
        b"NAXIS   = %20d" % len(shape),
        *axes,
    ]
    length = 4 * int(np.prod(shape, dtype=object))
    content = _content(path, most=MOST_HEADER + length + BLOCK, complete=False)
    cards = [content[start : start + CARD] for start in range(0, len(content), CARD)]
    if [card[:30] for card in cards[: len(begin)]] != begin:
        raise refused(path, f"a FITS image of shape {shape} of 32-bit floats", "another header")
    end = next((n for n, card in enumerate(cards) if card == b"END".ljust(CARD)), None)
    if end is None or any(card.startswith((b"BSCALE", b"BZERO")) for card in cards[:end]):
        raise refused(path, "a FITS header without scaling", "a scaled image or no end")
    offset = -(-(end + 1) * CARD // BLOCK) * BLOCK
    found, expected = len(content), offset + -(-length // BLOCK) * BLOCK
    more = any(card.startswith(b"NEXTEND =") for card in cards[:end])
    if found < expected or (found > expected and not more):
        raise refused(
            path, f"{length:,} bytes of data in complete blocks", f"{len(content):,} in all"
        )
    values = np.frombuffer(content, ">f4", length // 4, offset)
    return values.reshape(shape).astype(np.float32)


def _content(path: Path, *, most: int, complete: bool = True) -> bytes:
    """Return the first bytes of a file; a file of more than `most` is refused if `complete`."""
    size = regular_file(path)
    if complete and size > most:
        raise refused(path, f"at most {most:,} bytes", f"{size:,}")
    with reading(path), path.open("rb") as file:
        return file.read(most)
