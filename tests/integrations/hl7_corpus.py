"""Messages as laboratories send them, about patients who do not exist."""

PID = "PID|1||MRN-77^^^NORTHLAB&1.2.3&ISO^MR||Test^Tina^Q^^^^L||19500517|F"


def msh(control_id: str = "M1", version: str = "2.5.1", kind: str = "ORU^R01^ORU_R01", **more: str) -> str:
    """A header. ``sent``: MSH-7; ``processing``: MSH-11; ``characters``: MSH-18."""
    sent, processing = more.get("sent", "20260120120000-0500"), more.get("processing", "P")
    characters = more.get("characters", "")
    return rf"MSH|^~\&|LIS|NORTHLAB|TRACKER|CLINIC|{sent}||{kind}|{control_id}|{processing}|{version}||||||{characters}"


def obr(key: str = "A100", code: str = "58410-2^CBC^LN", state: str = "F", **more: str) -> str:
    """An ordered test. ``order``: OBR-2; ``collected``: OBR-7; ``issued``: OBR-22."""
    order, collected = more.get("order", "O1"), more.get("collected", "20260120080000-0500")
    return f"OBR|1|{order}|{key}|{code}|||{collected}|||||||||||||||{more.get('issued', '')}|||{state}"


def obx(value: str, kind: str = "NM", code: str = "777-3^Platelets^LN", state: str = "F", **more: str) -> str:
    """A line. ``unit``, ``reference``, ``flag``: OBX-6 to OBX-8."""
    unit, reference, flag = more.get("unit", "10*3/uL^^UCUM"), more.get("reference", ""), more.get("flag", "")
    return f"OBX|1|{kind}|{code}||{value}|{unit}|{reference}|{flag}|||{state}"


def oru(*segments: str, header: str | None = None, end: str = "\r", encoding: str = "utf-8") -> bytes:
    """A message of these segments, with a header and a patient unless there are some."""
    rows = list(segments)
    if not any(row.startswith("PID") for row in rows):
        rows.insert(0, PID)
    return (end.join([header or msh(), *rows]) + end).encode(encoding)


CBC = oru(
    "NTE|1||Fasting",
    "ORC|RE|O1|A100",
    obr(issued="20260120110000-0500"),
    "NTE|1||Drawn at home",
    obx("145", reference="150-450", flag="L"),
    "NTE|1||Checked by hand",
    obx("6.1", code="6690-2^WBC^LN"),
    obx("3.4", code="751-8^Neutrophils^LN^NEUT^Neutrophils abs^L", unit=r"10\S\3/uL"),
    obx("0.4", code="731-0^Lymphocytes^LN", unit="10^3/uL"),
    "SPM|1|P9&CLINIC^S9&LIS||BLD",
)
BATCH = b"\r".join(
    [
        rb"FHS|^~\&|LIS|NORTHLAB",
        rb"BHS|^~\&|LIS|NORTHLAB",
        oru(obr("A1"), obx("1"), header=msh("B1")).strip(),
        oru(obr("A2"), obx("2"), header=msh("B2")).strip(),
        b"BTS|2",
        b"FTS|1",
    ]
)
CORPUS = {
    "blood count": CBC,
    "batch": BATCH,
    "framed": b"\x0b" + CBC + b"\x1c\r",
    "lines of unix": CBC.replace(b"\r", b"\n"),
    "lines of windows": CBC.replace(b"\r", b"\r\n"),
    "latin": oru(
        "PID|1||7^^^LAB||M\xfcller^Zo\xeb||19500517|F",
        obr(),
        obx("1"),
        header=msh(characters="8859/1"),
        encoding="latin-1",
    ),
    "two patients": oru(
        PID, obr("A1"), obx("1"), "PID|2||MRN-78^^^NORTHLAB||Probe^Paul||19601231|M", obr("A2"), obx("2")
    ),
    "no patient": b"\r".join([msh().encode(), obr().encode(), obx("1").encode()]),
    "own delimiters": CBC.replace(b"~", b"`").replace(b"|", b"!").replace(b"^", b"*").replace(b"10*3", b"10"),
    "urine": oru(
        obr("U1", "24356-8^Urinalysis^LN"),
        obx("^0^-^2", "SN", "13945-1^RBC^LN", unit="/[HPF]"),
        obx("NEG^Negative^L", "CWE", "5794-3^Blood^LN", unit=""),
        obx(r"first line\.br\second line", "FT", "8251-1^Comment^LN", unit=""),
    ),
    "titer": oru(obr("T1"), obx("^1^:^64", "SN", "22602-7^VZV^LN", unit="")),
    "cancelled": oru(obr(state="X")),
    "training": oru(obr(), obx("1"), header=msh(processing="T")),
    "an order": oru("ORC|NW|1", header=msh(kind="ORM^O01")),
    "header alone": b"MSH|^~\\&",
    "not hl7": b"Dear colleague,\r\nplease find attached",
    "nothing": b"",
}
