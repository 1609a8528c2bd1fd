"""Lists as people write them: the app accepts or refuses each row, or the whole list, and says what to do."""

import contextlib
import csv
import io
import json
import time
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from b2b.domain.campaign.columns import LONGEST_HEADER, MOST_COLUMNS, Column, bare
from b2b.domain.campaign.csv_out import unguarded
from b2b.domain.campaign.reading import Reading, Wanted, read
from b2b.domain.campaign.sheet import DELIMITERS, MOST_ROWS, Form, sheet
from b2b.domain.error_codes import ErrorCode
from b2b.domain.errors import MalformedRequest
from b2b.domain.request import IntakePolicy

POLICY = IntakePolicy(frozenset({"myapps.microsoft.com"}))
ID, OTHER_ID = "0a000000-0000-4000-8000-000000000001", "0a000000-0000-4000-8000-000000000002"
INVITE = (
    "version:v1.0,,,\r\n"
    "Email address to invite [inviteeEmail] Required,Redirection url [inviteRedirectURL] Required,"
    "Send invitation message (true or false) [sendEmail],Customized invitation message [customizedMessageBody]\r\n"
    "Example: anna@fabrikam.com,https://myapps.microsoft.com,TRUE,Welcome\r\n"
)
EXPORT = "userPrincipalName,displayName,surname,mail,givenName,id,userType,creationType,directorySynced\r\n"


def taken(text: str, wanted: Wanted | None = None) -> Reading:
    return read(text.encode(), POLICY, wanted)


def told(text: str, wanted: Wanted | None = None) -> list[tuple[int, str, str]]:
    return [(fault.line, fault.column, fault.code) for fault in taken(text, wanted).faults]


@pytest.mark.parametrize("separator", DELIMITERS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_list_may_have_any_separator_any_line_end_quotes_and_empty_lines(separator: str, end: str) -> None:
    lines = ('UPN ;"External Mail"; ref', 'anna@contoso.com;"anna@fabrikam.com ";"Fabrikam; ""north"""', "", ";;;")
    text = end.join(lines).replace(";", separator)
    (entry,) = taken(text).entries
    assert entry.request.invited_user.user_principal_name == "anna@contoso.com"
    assert entry.request.invited_user_email_address == "anna@fabrikam.com"
    assert entry.reference == f'Fabrikam{separator} "north"'
    assert entry.line == 2


def test_a_row_of_the_bulk_invite_template_is_matched_by_its_address() -> None:
    row = "anna@fabrikam.com,https://myapps.microsoft.com,FALSE,Hello\r\n"
    found = taken(INVITE + row)
    (entry,) = found.entries
    assert found.faults == ()
    assert entry.line == 4
    assert entry.request.invited_user.mail == entry.request.invited_user_email_address == "anna@fabrikam.com"
    assert entry.request.send_invitation_message is False
    assert entry.request.invite_redirect_url == "https://myapps.microsoft.com"
    assert entry.request.invited_user_message_info is not None
    assert entry.request.invited_user_message_info.customized_message_body == "Hello"


def test_headers_in_any_language_are_known_by_the_name_in_brackets() -> None:
    header = (
        "version:v1.0\nE-Mail-Adresse [inviteeEmail] Erforderlich;Umleitungs-URL [inviteRedirectURL] Erforderlich\n"
    )
    (entry,) = taken(header + "anna@fabrikam.com;https://myapps.microsoft.com\n").entries
    assert entry.address == "anna@fabrikam.com"


def test_the_mail_column_of_entras_export_is_not_the_address_to_invite() -> None:
    found = taken(EXPORT + f"anna@contoso.com,Anna,A,old@contoso.com,Anna,{ID},Member,,\r\n")
    (entry,) = found.entries
    assert entry.request.invited_user.id == ID
    assert entry.request.invited_user_email_address is None
    assert entry.names == {Column.ID: ID, Column.UPN: "anna@contoso.com"}
    assert "displayName" in found.layout.dropped
    assert "mail" not in found.layout.dropped


def test_the_mail_column_beside_an_id_is_the_address_to_invite() -> None:
    (entry,) = taken("userPrincipalName,mail\nanna@contoso.com,anna@fabrikam.com\n").entries
    assert entry.address == entry.request.invited_user_email_address == "anna@fabrikam.com"


def test_unknown_columns_are_dropped_unless_the_caller_keeps_them() -> None:
    text = "\ufeffName;Konto;ExterneMail;Lieferant;Nr\r\nAnna; anna@contoso.com;anna@fabrikam.com;Fabrikam;0007\r\n"
    own = {Column.UPN: "Konto", Column.ADDRESS: "externemail", Column.REFERENCE: "Nr"}
    found = taken(text, Wanted(named=own, keep=("Lieferant",)))
    (entry,) = found.entries
    assert (entry.address, entry.reference, entry.kept) == ("anna@fabrikam.com", "0007", (("Lieferant", "Fabrikam"),))
    assert found.layout.dropped == ("Name",)


def test_line_numbers_count_lines_above_the_header_and_inside_cells() -> None:
    text = 'sep=;\r\n#TYPE Selected\r\nupn;reference\r\nanna@contoso.com;"two\r\nlines"\r\nberta;x\r\n'
    found = taken(text)
    assert [entry.line for entry in found.entries] == [4]
    assert found.entries[0].reference == "two\r\nlines"
    assert [(fault.line, fault.column, fault.code) for fault in found.faults] == [(6, "upn", "InvalidValue")]


def test_json_is_read_like_a_table() -> None:
    members = [
        {"id": ID, "reference": 7, "sendInvitationMessage": False, "invitedUserSponsors": [OTHER_ID]},
        {"invitedUser": {"userPrincipalName": "berta@contoso.com"}, "invitedUserEmailAddress": "berta@fabrikam.com"},
        {"id": {"nested": True}},
        "anna@contoso.com",
    ]
    for document in (members, {"members": members}):
        found = taken(json.dumps(document))
        first, second = found.entries
        assert (first.reference, first.request.send_invitation_message) == ("7", False)
        assert first.request.invited_user_sponsors == [OTHER_ID]
        assert second.address == "berta@fabrikam.com"
        assert [(fault.line, fault.code) for fault in found.faults] == [(3, "InvalidValue"), (4, "InvalidValue")]


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("upn,reference\r\n", "ListEmpty", "header and no rows"),
        ("upn;ref\n\n;;\n", "ListEmpty", "header and no rows"),
        ("[]", "ListEmpty", "no rows"),
        ("Anna,anna@contoso.com\nBerta,berta@contoso.com\n", "ListHeader", "names no account"),
        ("upn|reference\nanna@contoso.com|1\n", "ListHeader", "one column was read; commas, semicolons and tabs"),
        ("upn,UPN\na@contoso.com,b@contoso.com\n", "ListHeader", "columns 1 and 2 have the same header"),
        ("upn,Name,name\na@contoso.com,x,y\n", "ListHeader", "columns 2 and 3 have the same header"),
        ("upn,User Principal Name\na@contoso.com,\n", "ListHeader", "columns 1 and 2 both mean userPrincipalName"),
        ('upn,reference\na@contoso.com,"open\nb@contoso.com,1\n', "ListNotCsv", "begins in line 2"),
        ('upn,reference\na@contoso.com,"x"y\n', "ListNotCsv", "begins in line 2"),
        ('upn,reference\na@contoso.com,"' + "x" * 200_000, "ListNotCsv", "begins in line 2"),
        ("upn\n" + "a@contoso.com\n" * (MOST_ROWS + 1), "ListTooLarge", "more than 10000 rows"),
        (json.dumps([{"upn": "a@contoso.com"}] * (MOST_ROWS + 1)), "ListTooLarge", "more than 10000 rows"),
        ("upn" + "," * MOST_COLUMNS + "z\na@contoso.com\n", "ListHeader", "201 columns and may have 200"),
        (json.dumps([{"upn": "a@contoso.com"}, {f"n{n}": 1 for n in range(200)}]), "ListHeader", "201 columns"),
        (f"upn,{'x' * (LONGEST_HEADER + 1)}\na@contoso.com,1\n", "ListHeader", "column 2 has more than 200"),
        (json.dumps([{"upn": "a@contoso.com", "x" * 201: 1}]), "ListHeader", "column 2 has more than 200"),
        (json.dumps([{"upn": "a@contoso.com"}, {"reference": "\ud800"}]), "ListNotText", "member 2 holds"),
        (json.dumps([{"upn": "a@contoso.com", "reference": "a\0b"}]), "ListNotText", "member 1 holds a NUL"),
        (json.dumps([{"upn": "a@contoso.com", "\udfff": 1}]), "ListNotText", "lone surrogate"),
        (json.dumps([{"invitedUser": {"upn": "a@contoso.com", "x": ["\ud800"]}}]), "ListNotText", "member 1 holds"),
        ("[" * 100_000, "NotJson", "nested too deeply"),
        ('{"upn": ', "NotJson", "not JSON"),
        ('{"people": []}', "WrongType", "expected an array of members"),
    ],
)
def test_an_unreadable_list_is_refused_as_a_whole(text: str, code: str, said: str) -> None:
    with pytest.raises(MalformedRequest) as refused:
        taken(text)
    assert refused.value.code == code
    assert said in refused.value.message
    assert "contoso" not in refused.value.message


def test_a_column_that_the_call_names_must_be_in_the_list() -> None:
    for wanted in (Wanted(named={Column.UPN: "Konto"}), Wanted(keep=("Lieferant",))):
        with pytest.raises(MalformedRequest, match="which the list's header does not have"):
            taken("upn\na@contoso.com\n", wanted)
    with pytest.raises(MalformedRequest, match="at most 10 columns"):
        taken("upn\na@contoso.com\n", Wanted(keep=tuple("abcdefghijk")))


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("upn,sendEmail\na@contoso.com,perhaps\n", [(2, "sendEmail", "InvalidValue")]),
        ("id,upn\n,\n,\n1,a@contoso.com\n", [(4, "id", "InvalidValue")]),
        ("upn,reference\n,1\n", [(2, "upn", "MissingField")]),
        ("reference,upn\n1,\n", [(2, "upn", "MissingField")]),
        ("upn,ref\na@contoso.com,1,2\n", [(2, "", "InvalidValue")]),
        ("upn,ref\na@contoso.com," + "x" * 100_000 + "\n", [(2, "ref", "InvalidValue")]),
        ("upn,customizedMessageBody\na@contoso.com," + "x" * 100_000 + "\n", [(2, "", "RequestTooLarge")]),
        (
            "upn,inviteRedirectUrl\na@contoso.com,https://evil.example\n",
            [(2, "inviteRedirectUrl", "RedirectHostNotAllowed")],
        ),
        (
            "upn,language,sponsors\na@contoso.com,e n,x y\n",
            [(2, "language", "InvalidValue"), (2, "sponsors", "InvalidValue")],
        ),
        ("upn\n=1+1\n", [(2, "upn", "InvalidValue")]),
        ("upn\na@contoso.com\nA@CONTOSO.COM\n", [(3, "upn", "DuplicatePerson")]),
        (f"id,upn\n{ID},a@contoso.com\n,A@contoso.com\n", [(3, "userPrincipalName", "DuplicatePerson")]),
        (
            "upn,address\na@contoso.com,x@fabrikam.com\nb@contoso.com,X@fabrikam.com\n",
            [(3, "address", "DuplicateAddress")],
        ),
    ],
)
def test_a_refused_row_is_reported_with_line_column_and_code(text: str, faults: list[tuple[int, str, str]]) -> None:
    headers = {Column.UPN.value: "upn"}
    assert told(text) == [(line, headers.get(column, column), code) for line, column, code in faults]


def test_a_second_row_for_an_account_is_refused_and_names_the_first() -> None:
    found = taken("upn\na@contoso.com\nb@contoso.com\na@contoso.com\n")
    assert [entry.line for entry in found.entries] == [2, 3]
    assert "line 2" in found.faults[0].message


def test_the_longest_list_is_accepted() -> None:
    found = taken("upn\n" + "".join(f"user{number}@contoso.com\n" for number in range(MOST_ROWS)))
    assert len(found.entries) == MOST_ROWS


def test_the_widest_list_is_accepted_and_its_rows_may_be_shorter() -> None:
    names = [f"n{number}" for number in range(MOST_COLUMNS - 2)]
    header = ",".join(("upn", *names, "x" * LONGEST_HEADER))
    found = taken(header + ",,,\na@contoso.com\nb@contoso.com,1\n", Wanted(keep=(names[0], names[-1])))
    assert [entry.kept for entry in found.entries] == [
        ((names[0], ""), (names[-1], "")),
        ((names[0], "1"), (names[-1], "")),
    ]


def test_a_surrogate_pair_in_json_is_one_character() -> None:
    (entry,) = taken(json.dumps([{"upn": "a@contoso.com", "reference": "\U0001f600"}])).entries
    assert entry.reference == "\U0001f600"


@pytest.mark.parametrize(
    ("header", "name"),
    [("[[upn]", "upn"), ("[][Upn] x", "upn"), ("a]b[U_p n]", "upn"), ("[] upn", "[]upn"), ("[upn", "[upn")],
)
def test_the_first_name_in_brackets_in_a_header_is_the_name_of_its_column(header: str, name: str) -> None:
    assert bare(header) == name


def seconds(text: str) -> float:
    """Return the processor time that reading a text takes, in seconds, so that other load does not count."""
    begun = time.process_time()
    with contextlib.suppress(MalformedRequest):
        taken(text)
    return time.process_time() - begun


def test_many_empty_lines_above_the_header_take_little_time() -> None:
    assert seconds("\n" * 800_000 + "upn\na@contoso.com\n") < 8


def test_a_header_of_opening_brackets_takes_little_time() -> None:
    for text in ("upn,{}\na@contoso.com\n", '[{{"upn": "a@contoso.com", "{}": 1}}]'):
        assert seconds(text.format("[" * 120_000)) < 4
    assert bare("[" * 1_000_000) == "[" * 1_000_000


def test_short_rows_take_no_memory_for_missing_columns() -> None:
    text = "upn" + "," * (MOST_COLUMNS - 1) + "z\n" + "x\n" * 4_000
    tracemalloc.start()
    try:
        sheet(text, Form.CSV)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 400 * 4_000


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
PLAIN = CELLS.map(lambda text: text.replace("\r", "").strip()).filter(lambda text: unguarded(text) == text)
"""Python's writer does not quote a lone carriage return, and the reader takes the guard of a formula off."""
HEADERS = st.sampled_from(["id", "upn", "mail", "address", "ref", "sendEmail", "cc", "Name", "", "invitedUser"])


def taken_or_refused(text: str) -> Reading | None:
    """Return the reading, or None if the list is refused. `RequestRefused` itself checks the code of the refusal."""
    with contextlib.suppress(MalformedRequest):
        return taken(text)
    return None


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
@example("upn\n\r\n")
@example('"\n"')
@example("sep=;")
def test_any_text_is_read_or_refused_with_a_known_code(text: str) -> None:
    found = taken_or_refused(text)
    assert found is None or all(fault.code in set(ErrorCode) for fault in found.faults)


@given(st.lists(HEADERS, min_size=1, max_size=5), st.lists(st.lists(CELLS, max_size=6), max_size=5))
def test_each_row_is_accepted_once_or_reported_with_its_line(headers: list[str], rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([headers, *rows])
    found = taken_or_refused(text.getvalue())
    if found is None:
        return
    lines = [entry.line for entry in found.entries]
    assert len(set(lines)) == len(lines)
    assert not set(lines) & {fault.line for fault in found.faults}
    assert len({key for entry in found.entries for key in entry.keys}) == sum(
        len(entry.keys) for entry in found.entries
    )


@given(
    st.lists(
        st.tuples(st.from_regex(r"[a-z]{1,8}", fullmatch=True), PLAIN),
        min_size=1,
        unique_by=lambda row: row[0],
    ),
    st.sampled_from(DELIMITERS),
    st.sampled_from(["\n", "\r\n"]),
)
@example([("anna", "=1")], ",", "\n")
def test_csv_that_python_writes_is_read_back_unchanged(rows: list[tuple[str, str]], separator: str, end: str) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator=end)
    writer.writerow(("userPrincipalName", "reference"))
    writer.writerows((f"{name}@contoso.com", reference) for name, reference in rows)
    found = taken(text.getvalue())
    assert found.faults == ()
    assert [entry.reference for entry in found.entries] == [reference for _, reference in rows]
