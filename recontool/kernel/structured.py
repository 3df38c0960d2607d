"""Writes which key of a JSON or logfmt line means what as the table that the compiled core reads."""

from recontool.logs import structured
from recontool.logs.format import Format
from recontool.model.markers import LEVELS


def structured_table(form: Format) -> bytes:
    """The table of one structured format."""
    keys = (
        structured.TIME_KEYS,
        structured.LEVEL_KEYS,
        structured.SOURCE_KEYS,
        structured.MARKER_KEYS,
        (structured.EVENT_KEY,),
        structured.TEXT_KEYS,
    )
    lines = [f"M\t{int(form.name == 'logfmt')}", _starts("")]
    for number, group in enumerate(keys):
        for key in group:
            lines.append(f"K\t{number}\t{key}")
            if key in structured.LEVEL_STARTS:
                lines.append(_starts(key))
            if key == structured.SYSLOG_KEY:
                lines.append("\t".join(("Y", *(str(LEVELS.index(level)) for level in structured.SYSLOG_LEVELS))))
    return "\n".join(lines).encode()


def _starts(key: str) -> str:
    return "\t".join(("N", *map(str, structured.LEVEL_STARTS[key])))
