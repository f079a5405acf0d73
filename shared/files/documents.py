"""Cleans PDFs: writes them again without metadata, earlier versions, attachments, scripts and hidden data of pictures."""

import io
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream

from shared.files.cleaned import Cleaned
from shared.files.jpeg_segments import without_metadata
from shared.files.kinds import PDF
from shared.files.limits import CLEANED_BYTES_MAX, PDF_PAGES_MAX
from shared.files.refusals import FileRefused

HIDDEN = ("/Metadata", "/PieceInfo", "/LastModified", "/AA", "/OpenAction", "/AF", "/Thumb", "/XFA", "/Collection")
"""Keys of any dictionary: metadata, data of programs, actions that run by themselves, attachments, previews, forms of Adobe."""
NAMES = ("/JavaScript", "/EmbeddedFiles")
ACTIONS = (
    "/JavaScript",
    "/Launch",
    "/SubmitForm",
    "/ImportData",
    "/GoToE",
    "/Rendition",
    "/Movie",
    "/Sound",
    "/RichMediaExecute",
)
ANNOTATIONS = ("/FileAttachment", "/RichMedia", "/Movie", "/Sound", "/Screen", "/3D")
DEPTH_MAX = 100


def cleaned_pdf(file: BinaryIO) -> Cleaned:
    """The PDF. Raises FileRefused."""
    try:
        with pikepdf.open(file) as pdf:
            return Cleaned(PDF.media_type, rewritten(pdf))
    except pikepdf.PasswordError as error:
        raise FileRefused("locked") from error
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, zlib.error) as error:
        if isinstance(error, FileRefused):
            raise
        raise FileRefused("broken") from error


def rewritten(pdf: Pdf) -> bytes:
    """The pages and what they use; saving leaves out every object that nothing refers to any more."""
    if pdf.is_encrypted:
        raise FileRefused("locked")
    if not 0 < len(pdf.pages) <= PDF_PAGES_MAX:
        raise FileRefused("too-long" if len(pdf.pages) else "broken")
    for name in ("/Info", "/ID"):
        if name in pdf.trailer:
            del pdf.trailer[name]
    if "/Names" in pdf.Root:
        for name in NAMES:
            if name in pdf.Root.Names:
                del pdf.Root.Names[name]
    for one in list(pdf.objects):
        for inner in containers(one):
            clean_container(inner)
    output = io.BytesIO()
    pdf.save(output, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return output.getvalue()


def containers(one: Object, depth: int = 0) -> Iterator[Object]:
    """The dictionaries, streams and arrays in an object, without those that are objects of their own."""
    if depth > DEPTH_MAX:
        raise FileRefused("not-cleanable")
    if isinstance(one, Stream | Dictionary):
        yield one
        values: list[Any] = [value for _, value in one.items()]
    elif isinstance(one, Array):
        yield one
        values = list(one)
    else:
        return
    for value in values:
        if isinstance(value, Stream | Dictionary | Array) and not value.is_indirect:
            yield from containers(value, depth + 1)


def clean_container(one: Object) -> None:
    if isinstance(one, Array):
        return
    for name in HIDDEN:
        if name in one:
            del one[name]
    for name in ("/A", "/PA", "/Next"):
        action = one.get(name)
        if isinstance(action, Dictionary) and str(action.get("/S", "")) in ACTIONS:
            del one[name]
    if isinstance(annotations := one.get("/Annots"), Array):
        kept = [note for note in annotations if not is_active(note)]
        one["/Annots"] = Array(kept)
    if isinstance(one, Stream) and one.get("/Subtype") == Name.Image:
        clean_image(one)


def is_active(annotation: Any) -> bool:
    return isinstance(annotation, Dictionary) and str(annotation.get("/Subtype", "")) in ANNOTATIONS


def clean_image(image: Stream) -> None:
    """Remove EXIF and the like from a picture that is a JPEG. Raises FileRefused for one that cannot be cleaned."""
    filters = image.get("/Filter")
    named = [str(filters)] if isinstance(filters, Name) else [str(one) for one in filters or ()]
    if "/JPXDecode" in named:
        raw = image.read_raw_bytes()
        if named != ["/JPXDecode"] or any(box in raw for box in (b"uuid", b"xml ", b"Exif")):
            raise FileRefused("not-cleanable")
    if "/DCTDecode" not in named:
        return
    raw = image.read_raw_bytes()
    if named == ["/FlateDecode", "/DCTDecode"]:
        raw = zlib.decompressobj().decompress(raw, CLEANED_BYTES_MAX)
    elif named != ["/DCTDecode"]:
        raise FileRefused("not-cleanable")
    image.write(without_metadata(raw), filter=Name.DCTDecode)
