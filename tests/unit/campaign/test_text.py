"""Lists in the encodings that spreadsheets and other programs write."""

import codecs
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2b.domain.campaign.text import MOST_BYTES, Encoding, decoded
from b2b.domain.errors import MalformedRequest

LIST = "userPrincipalName;reference\r\njörg@contoso.com;Müller\r\n"
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), min_size=1).filter(str.strip)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (LIST.encode(), None),
        (LIST.encode(), Encoding.UTF_8),
        (LIST.encode("utf-8-sig"), None),
        (LIST.encode("utf-8-sig"), Encoding.WINDOWS_1252),
        (codecs.BOM_UTF16_LE + LIST.encode("utf-16-le"), None),
        (codecs.BOM_UTF16_BE + LIST.encode("utf-16-be"), None),
        (LIST.encode("utf-16-le"), None),
        (LIST.encode("utf-16-be"), None),
        (LIST.encode("utf-16-le"), Encoding.UTF_16),
        (LIST.encode("cp1252"), Encoding.WINDOWS_1252),
    ],
)
def test_a_list_has_the_same_text_in_every_encoding(raw: bytes, told: Encoding | None) -> None:
    assert decoded(raw, told) == LIST


@pytest.mark.parametrize(
    ("raw", "told", "code", "said"),
    [
        (b"", None, "EmptyBody", "empty"),
        (b" \r\n\t\n", None, "EmptyBody", "empty"),
        (codecs.BOM_UTF8, None, "EmptyBody", "empty"),
        (codecs.BOM_UTF16_LE, None, "EmptyBody", "empty"),
        (LIST.encode("cp1252"), None, "ListNotText", "line 2 is not text in UTF-8: save the list as 'CSV UTF-8'"),
        (LIST.encode("cp1252"), Encoding.UTF_8, "ListNotText", "charset=windows-1252"),
        (LIST.encode(), Encoding.WINDOWS_1252, "ListNotText", "is UTF-8, not Windows-1252"),
        (b"upn\nj\x81rg@contoso.com\n", Encoding.WINDOWS_1252, "ListNotText", "line 2 is not text in Windows-1252"),
        (b"upn\nanna@contoso.com\n\0\n", None, "ListNotText", "line 3 holds a NUL"),
        (codecs.BOM_UTF16_LE + b"u\0p\0n", None, "ListNotText", "line 1 is not text in UTF-16"),
        (b"x" * (MOST_BYTES + 1), None, "ListTooLarge", "split it"),
        (b"x" * 9_000_000, None, "ListTooLarge", "9000000 bytes"),
    ],
)
def test_bytes_that_are_not_text_are_refused_as_a_whole(
    raw: bytes, told: Encoding | None, code: str, said: str
) -> None:
    with pytest.raises(MalformedRequest) as refused:
        decoded(raw, told)
    assert refused.value.code == code
    assert said in refused.value.message


@given(TEXT, st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_text_that_python_encodes_is_decoded_unchanged(text: str, codec: str) -> None:
    assert decoded(text.encode(codec)) == text


@given(st.binary(max_size=200), st.sampled_from([None, *Encoding]))
def test_any_bytes_are_decoded_or_refused_with_a_known_code(raw: bytes, told: Encoding | None) -> None:
    with contextlib.suppress(MalformedRequest):
        assert decoded(raw, told).strip()
