"""How far a test is, by the letters of HL7 (tables 0085, 0123, 0038); what is wrong with a specimen (0490, 0493)."""

from clinic_tracker.domain.messages import ReportState

OF_REPORT = {  # OBR-25
    "O": ReportState.ORDERED,
    "S": ReportState.ORDERED,
    "I": ReportState.PENDING,
    "A": ReportState.PRELIMINARY,
    "P": ReportState.PRELIMINARY,
    "R": ReportState.PRELIMINARY,
    "M": ReportState.CORRECTED,
    "C": ReportState.CORRECTED,
    "K": ReportState.CORRECTED,
    "F": ReportState.FINAL,
    "U": ReportState.FINAL,
    "X": ReportState.CANCELLED,
    "D": ReportState.CANCELLED,
    "W": ReportState.CANCELLED,
}
OF_VALUE = {  # OBX-11
    "O": ReportState.ORDERED,
    "I": ReportState.PENDING,
    "A": ReportState.PRELIMINARY,
    "B": ReportState.PRELIMINARY,
    "P": ReportState.PRELIMINARY,
    "R": ReportState.PRELIMINARY,
    "S": ReportState.PRELIMINARY,
    "V": ReportState.FINAL,
    "F": ReportState.FINAL,
    "U": ReportState.FINAL,
    "C": ReportState.CORRECTED,
    "X": ReportState.REJECTED,
    "N": ReportState.REJECTED,
    "D": ReportState.CANCELLED,
    "W": ReportState.CANCELLED,
}
OF_ORDER = {  # ORC-5, where the report itself does not say
    "CA": ReportState.CANCELLED,
    "DC": ReportState.CANCELLED,
    "RP": ReportState.CANCELLED,
    "SC": ReportState.ORDERED,
    "IP": ReportState.PENDING,
    "HD": ReportState.PENDING,
    "A": ReportState.PRELIMINARY,
}
SPECIMEN_WORDS = {
    "AUT": "Autolyzed",
    "CLOT": "Clotted",
    "CON": "Contaminated",
    "HEM": "Hemolyzed",
    "SNR": "Specimen not received",
    "EX": "Expired",
    "QS": "Quantity not sufficient",
    "RB": "Broken container",
    "RC": "Clotted",
    "RD": "Missing collection date",
    "RH": "Hemolyzed",
    "RI": "Identification problem",
    "RM": "Labeling",
    "RN": "Contaminated",
    "RP": "Improper storage",
}
