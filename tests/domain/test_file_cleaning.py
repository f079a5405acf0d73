"""Cleaning files: what is hidden is gone, what is shown stays, and what cannot be cleaned is refused."""

import io

import av
import pikepdf
import pytest
from PIL import Image

from shared.files import limits
from shared.files.cleaned import Cleaned
from shared.files.cleaning import cleaned
from shared.files.refusals import FileRefused
from tests.sample_files import SECRETS, drawing, exif, pdf, photo, recording


def clean(content: bytes) -> Cleaned:
    return cleaned(io.BytesIO(content))


def refusal(content: bytes) -> str:
    with pytest.raises(FileRefused) as refused:
        clean(content)
    return refused.value.code


def no_secrets(content: bytes) -> None:
    assert [one for one in SECRETS if one in content] == []


# ── pictures ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("kind", "stored_as"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/jpeg")])
def test_position_camera_and_owner_of_a_photo_are_gone(kind: str, stored_as: str) -> None:
    sent = photo(kind)
    assert any(one in sent for one in SECRETS)
    result = clean(sent)
    assert result.media_type == stored_as
    for content in (result.content, result.thumbnail or b""):
        no_secrets(content)
        shown = Image.open(io.BytesIO(content))
        assert (len(shown.getexif()), "icc_profile" in shown.info, "comment" in shown.info) == (0, False, False)


def test_a_photo_is_turned_upright_before_its_orientation_is_removed() -> None:
    shown = Image.open(io.BytesIO(clean(photo()).content))
    assert shown.size == (40, 80)
    top, bottom = shown.convert("RGB").getpixel((20, 10)), shown.convert("RGB").getpixel((20, 70))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert (top[0] > 200, bottom[2] > 200) == (True, True)


def test_what_follows_the_picture_is_gone() -> None:
    archive = b"PK\x03\x04 a second file, such as the video of a moving photo"
    assert archive not in clean(photo() + archive).content


def test_a_photo_with_further_pictures_keeps_the_first() -> None:
    output = io.BytesIO()
    drawing().save(output, "MPO", save_all=True, append_images=[drawing((80, 40))], exif=exif())
    no_secrets(clean(output.getvalue()).content)


def test_transparency_stays_and_the_thumbnail_is_white_behind_it() -> None:
    output = io.BytesIO()
    Image.new("RGBA", (500, 400), (0, 0, 0, 0)).save(output, "PNG")
    result = clean(output.getvalue())
    assert Image.open(io.BytesIO(result.content)).mode == "RGBA"
    thumbnail = Image.open(io.BytesIO(result.thumbnail or b""))
    assert (thumbnail.size, thumbnail.convert("RGB").getpixel((5, 5))) == ((320, 256), (255, 255, 255))


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_a_moving_picture_is_refused(kind: str) -> None:
    output = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green", "blue")]
    frames[0].save(output, kind, save_all=True, append_images=frames[1:])
    assert refusal(output.getvalue()) == "moving-picture"


def test_a_still_gif_becomes_a_png() -> None:
    output = io.BytesIO()
    drawing(mode="P").save(output, "GIF")
    assert clean(output.getvalue()).media_type == "image/png"


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    output = io.BytesIO()
    Image.new("1", (10_000, 5_001)).save(output, "PNG")
    assert (len(output.getvalue()) < 20_000, refusal(output.getvalue())) == (True, "too-many-pixels")
    output = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(output, "PNG")
    assert refusal(output.getvalue()) == "too-many-pixels"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_damaged_picture_is_refused(kind: str) -> None:
    sent = photo(kind)
    assert refusal(sent[: len(sent) // 2]) == "broken"
    assert refusal(sent[:20]) == "broken"


# ── PDF ──────────────────────────────────────────────────────────────────────


def test_maker_attachments_scripts_and_the_position_of_a_photo_in_a_pdf_are_gone() -> None:
    sent = pdf()
    assert sum(one in sent for one in SECRETS) > 3
    result = clean(sent)
    no_secrets(result.content)
    with pikepdf.open(io.BytesIO(result.content)) as shown:
        everything = b"".join(
            one.read_raw_bytes() + bytes(one.unparse()) for one in shown.objects if isinstance(one, pikepdf.Stream)
        )
        no_secrets(everything)
        assert (len(shown.pages), "/OpenAction" in shown.Root, "/Names" in shown.Root and len(shown.Root.Names)) == (
            1,
            False,
            0,
        )
        stored = shown.pages[0].Resources.XObject.Im0
        assert isinstance(stored, pikepdf.Stream)
        image = pikepdf.PdfImage(stored).as_pil_image()
        assert image.size == (80, 40)


def test_an_earlier_version_of_a_pdf_is_gone() -> None:
    with pikepdf.new() as made:
        made.add_blank_page()
        made.Root.Old = made.make_stream(b"an earlier version of the text")
        output = io.BytesIO()
        made.save(output, compress_streams=False)
    sent = output.getvalue().replace(b"/Old ", b"/Xld ")
    assert b"an earlier version" in sent
    with pikepdf.open(io.BytesIO(sent)) as made:
        del made.Root.Xld
        output = io.BytesIO()
        made.save(output, compress_streams=False)
    incremental = sent + output.getvalue()[output.getvalue().index(b"%PDF") :]
    assert b"an earlier version" not in clean(incremental).content


def test_a_pdf_with_a_password_is_refused() -> None:
    with pikepdf.open(io.BytesIO(pdf())) as made:
        for user in ("secret", ""):
            output = io.BytesIO()
            made.save(output, encryption=pikepdf.Encryption(user=user, owner="owner"))
            assert refusal(output.getvalue()) == "locked"


@pytest.mark.parametrize("sent", [b"%PDF-1.7\n", b"%PDF-1.7\n%%EOF", pdf()[:200]])
def test_a_damaged_pdf_is_refused(sent: bytes) -> None:
    assert refusal(sent) == "broken"


def test_a_pdf_with_a_picture_that_cannot_be_cleaned_is_refused() -> None:
    assert refusal(pdf(picture=b"\x00\x01 not a JPEG")) == "not-cleanable"


def test_a_pdf_of_too_many_pages_is_refused() -> None:
    assert refusal(pdf(pages=limits.PDF_PAGES_MAX + 1)) == "too-long"


# ── sound ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [
        ("mp3", "audio/mpeg"),
        ("m4a", "audio/mp4"),
        ("ogg", "audio/ogg"),
        ("wav", "audio/wav"),
        ("aac", "audio/aac"),
        ("amr", "audio/amr"),
    ],
)
def test_the_tags_of_a_recording_are_gone_and_its_sound_stays(kind: str, media_type: str) -> None:
    sent = recording(kind)
    result = clean(sent)
    assert result.media_type == media_type
    no_secrets(result.content)
    assert b"Lavf" not in result.content
    with av.open(io.BytesIO(sent), "r") as before, av.open(io.BytesIO(result.content), "r") as after:
        packets = [[bytes(one) for one in given.demux(audio=0) if one.size] for given in (before, after)]
        assert packets[0] == packets[1]


def test_what_follows_a_recording_is_gone() -> None:
    for kind in ("mp3", "m4a", "ogg", "wav", "aac"):
        sent = recording(kind)
        with_more = clean(sent + b"TAG" + b"a second file".ljust(125, b"\0") + b"PK a second file").content
        assert b"a second file" not in with_more, kind
        assert with_more == clean(sent).content, kind


def test_every_frame_of_an_mp3_stays() -> None:
    sent = recording("mp3")
    sound = sent[sent.index(b"\xff\xfb") :]
    assert sound.endswith(clean(sent).content)
    assert len(clean(sent).content) == 10 * 384


def test_a_video_is_refused() -> None:
    output = io.BytesIO()
    with av.open(output, "w", format="mp4") as made:
        stream = made.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for _ in range(3):
            made.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
        made.mux(stream.encode(None))
    assert refusal(output.getvalue()) == "video"


@pytest.mark.parametrize("kind", ["mp3", "m4a", "ogg", "wav", "aac"])
def test_a_damaged_recording_is_refused_or_shorter(kind: str) -> None:
    sent = recording(kind)
    assert refusal(sent[:16]) in ("broken", "unknown-type")


# ── other types ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"", "empty"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "heic"),
        (b"\x1a\x45\xdf\xa3 Matroska", "video"),
        (b"RIFF\0\0\0\0AVI LIST", "video"),
        (b"RIFF\0\0\0\0ACON", "unknown-type"),
        (b"PK\x03\x04 a spreadsheet", "unknown-type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "unknown-type"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "unknown-type"),
        (b"MZ\x90\0 a program", "unknown-type"),
        (b"GIF89a/*\x00\x00*/=1;alert(1)", "broken"),
        (b" %PDF-1.7", "unknown-type"),
        (b"\xff", "unknown-type"),
    ],
)
def test_other_files_are_refused(sent: bytes, code: str) -> None:
    assert refusal(sent) == code
