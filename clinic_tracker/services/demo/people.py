"""The people of the demonstration: clinics, staff, prescribers, names of patients."""

from typing import NamedTuple

from clinic_tracker.domain.vocabulary import Role

PASSWORD = "northside-demo-2026"  # noqa: S105 - printed in the README, opens nothing but the demonstration


class DemoPerson(NamedTuple):
    """Somebody who signs in."""

    email: str
    name: str
    role: Role


class DemoPrescriber(NamedTuple):
    """A prescriber; ``email`` ties one to the account of a neurologist."""

    name: str
    npi: str
    email: str | None
    is_active: bool


class DemoClinic(NamedTuple):
    """A clinic and its people."""

    slug: str
    name: str
    time_zone: str
    protocol_id: str
    facility_id: str
    people: tuple[DemoPerson, ...]
    prescribers: tuple[DemoPrescriber, ...]


NORTHSIDE = DemoClinic(
    "northside",
    "Northside MS Center",
    "America/New_York",
    "lemtrada-us",
    "HCF-204417",
    (
        DemoPerson("staff@demo.example", "Robin Lee, RN", Role.STAFF),
        DemoPerson("neurologist@demo.example", "Dr. Maya Lindqvist", Role.NEUROLOGIST),
        DemoPerson("administrator@demo.example", "Chris Okoro", Role.ADMINISTRATOR),
        DemoPerson("auditor@demo.example", "Pat Greene", Role.AUDITOR),
    ),
    (
        DemoPrescriber("Dr. Maya Lindqvist", "1003000126", "neurologist@demo.example", True),
        DemoPrescriber("Dr. Samuel Ortega", "1003000134", None, True),
        DemoPrescriber("Dr. Helen Brandt", "1003000142", None, False),
    ),
)
LAKESIDE = DemoClinic(
    "lakeside",
    "Lakeside Hospital, MS Day Unit",
    "Europe/Dublin",
    "lemtrada-eu",
    "IE-0071",
    (
        DemoPerson("staff@other.example", "Niamh Byrne, RN", Role.STAFF),
        DemoPerson("neurologist@other.example", "Dr. Cormac Daly", Role.NEUROLOGIST),
        DemoPerson("administrator@other.example", "Orla Keane", Role.ADMINISTRATOR),
    ),
    (DemoPrescriber("Dr. Cormac Daly", "1003000159", "neurologist@other.example", True),),
)

FAMILY_NAMES = (
    "Okafor", "Ruiz", "Haddad", "Novak", "Brennan", "Iyer", "Castellano", "Whitfield", "Tanaka", "Morrow",
    "Lindgren", "Abara", "Pacheco", "Sorensen", "Delacroix", "Quinn", "Yilmaz", "Hargrove", "Petrov", "Salazar",
    "Winslow", "Amadi", "Kowalski", "Bergstrom", "Mercado", "Fontaine", "Achterberg", "Nakamura", "Oyelaran", "Vance",
    "Rosario", "Dimitrov", "Halloran", "Farouk", "Beaumont", "Sandoval", "Thorne", "Mbeki", "Eriksen", "Carvalho",
    "Langley", "Oduya", "Pruitt", "Zielinski", "Navarro", "Ashworth", "Kaplan", "Reyes", "Sterling", "Moreau",
)  # fmt: skip
FEMALE_NAMES = (
    "Ada", "Elena", "Noor", "Ivana", "Grace", "Priya", "Lucia", "Hannah", "Yuki", "Beatrice", "Astrid", "Chioma",
    "Marisol", "Freja", "Camille", "Deirdre", "Elif", "Joanna", "Irina", "Paloma", "Ruth", "Zainab", "Magda", "Simone",
)  # fmt: skip
MALE_NAMES = (
    "Victor", "Mateo", "Karim", "Pavel", "Declan", "Arjun", "Marco", "Owen", "Kenji", "Tobias", "Anders", "Emeka",
    "Rafael", "Jonas", "Hugo", "Sean", "Emre", "Walter", "Dmitri", "Andres",
)  # fmt: skip
