"""The [[source]] tables of park.toml: which server of the field, spoken to how; [database], spoken to likewise; [history]."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from twin.park import DatabaseSpec, HistorySpec, SourceSpec
from twin.parktable import Table

#: What a source's url may begin with, and an example of each.
SPOKEN = {
    "simulator": "simulator",
    "http-in": "http-in",
    "mqtt": "mqtt://10.0.0.2:1883",
    "mqtts": "mqtts://10.0.0.2:8883",
    "sparkplug": "sparkplug://10.0.0.2:1883/GROUP",
    "sparkplugs": "sparkplugs://10.0.0.2:8883/GROUP",
    "modbus": "modbus://10.0.0.3:502",
    "modbus+tls": "modbus+tls://10.0.0.3:802",
    "opc.tcp": "opc.tcp://10.0.0.4:4840",
    "bacnet": "bacnet://10.0.0.5:47808",
}
#: Those that mean nothing without a file that binds their addresses to points.
BOUND = ("sparkplug", "sparkplugs", "modbus", "modbus+tls", "opc.tcp", "bacnet")
WORD_ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")
_SECURITY = re.compile(r"(Basic256Sha256|Aes128_Sha256_RsaOaep|Aes256_Sha256_RsaPss),(Sign|SignAndEncrypt)")
_POSTGRES = re.compile(r"postgresql://(?:[^:@/\s]+@)?[^:@/\s]+(?::\d+)?/[^\s@]+")
_URL = re.compile(r"[a-z.+-]+://(?:[^@/\s]+@)?[^/@\s]+(?:/\S*)?")


def read_source(table: Table) -> SourceSpec | None:
    """One table, or None with its faults kept."""
    source_id, url = table.identity(), table.text("url", required=True)
    if not source_id or not url or not _is_spoken(table, url):
        return None
    scheme = url.split(":", 1)[0]
    if scheme in BOUND and "points" not in table.raw:
        table.fault("points", f"source '{source_id}' binds no points",
                    f'add points = "{source_id}.csv"; `parktwin discover` writes it')
        return None
    order = table.text("order") or "ABCD"
    if order not in WORD_ORDERS:
        table.fault("order", f"word order '{order}' is not known", f"use one of {', '.join(WORD_ORDERS)}")
        order = "ABCD"
    return SourceSpec(
        id=source_id, url=url, points=_beside(table, "points"), user=table.text("user") or "", password=_secret(table),
        ca=table.file("ca"), cert=table.file("cert"), key=table.file("key"),
        poll_secs=table.between("poll_secs", 5.0, 0.05, 86400.0), security=_security(table),
        unit=int(table.between("unit", 1, 0, 255)), order=order, local=table.text("local") or "",
        time=table.text("time") or "", positions=_positions(table), accuracy=table.between("accuracy", 0.0, 0.0, 100.0),
        line=table.line("url"))


def _positions(table: Table) -> str:
    """The coordinates of a source's positions; what is not understood is a fault, and they are taken as park metres."""
    if re.fullmatch(r"building:[^:]+(:[^:]+)?", table.text("positions") or ""):
        return table.text("positions") or ""
    return table.crs("positions", projected=False) or ""


def _is_spoken(table: Table, url: str) -> bool:
    scheme = url.split(":", 1)[0]
    if scheme in SPOKEN and (url == SPOKEN[scheme] or _URL.fullmatch(url)):
        return True
    close = difflib.get_close_matches(scheme, SPOKEN, n=1)
    mend = f"write it like {SPOKEN[close[0]]}" if close else f"begin it with one of {', '.join(SPOKEN)}"
    table.fault("url", f"url '{url}' is not understood", mend)
    return False


def _beside(table: Table, key: str) -> Path | None:
    """A path relative to the park folder that need not exist yet."""
    value = table.text(key)
    return None if value is None else (table.ledger.root / value).resolve()


def read_database(table: Table) -> DatabaseSpec | None:
    """The table [database], or None with its faults kept."""
    url = table.text("url", required=True)
    if url is None:
        return None
    if not _POSTGRES.fullmatch(url):
        table.fault("url", f"database '{_hidden(url)}' is not understood",
                    "write postgresql://USER@HOST/NAME, the password apart; without [database] it is SQLite")
        return None
    return DatabaseSpec(url=url, password=_secret(table), line=table.line("url"))


def read_history(table: Table) -> HistorySpec:
    """The table [history]; what is wrong in it is left out with its fault."""
    thin: list[tuple[int, int]] = []
    raw = table.raw.get("thin", [])
    for pair in raw if isinstance(raw, list) else [raw]:
        if (isinstance(pair, list) and len(pair) == 2 and all(type(number) is int for number in pair)
                and pair[0] >= 1 and 1 <= pair[1] <= 86_400 and 86_400 % pair[1] == 0):
            thin.append((pair[0], pair[1]))
        else:
            table.fault("thin", f"thin {pair!r} is not days and seconds",
                        "write thin = [[30, 60], [365, 900]]: after 30 days a row a minute, after a year one in 15 minutes")
    return HistorySpec(thin=tuple(sorted(thin)), days=int(table.between("days", 0, 0, 36_500)),
                       positions_days=int(table.between("positions_days", 0, 0, 36_500)), publish=table.text("publish") or "")


def _hidden(url: str) -> str:
    return re.sub(r":[^/:@]+@", ":…@", url)


def _secret(table: Table) -> str:
    password = table.text("password") or ""
    if password and not re.fullmatch(r"(env|file):.+", password):
        table.fault("password", "a password in the park file is read by everyone who reads the file",
                    'write password = "env:NAME" or "file:PATH" and keep it there')
        return ""
    return password


def _security(table: Table) -> str:
    security = (table.text("security") or "").replace(" ", "")
    if security and not _SECURITY.fullmatch(security):
        table.fault("security", f"security '{security}' is not known", 'write security = "Basic256Sha256,SignAndEncrypt"')
        return ""
    return security
