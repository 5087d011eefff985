/** The indicator table: limit, A, B and the difference; a bar whose tick is the limit; what fails carries the number it has in the view. */
import type { JSX } from "preact";
import { figure } from "../app/format";
import { lang, named, say } from "../app/words";
import type { Result, Row } from "./api";
import type { Mark } from "./parts";

const PERCENT = new Set(["density", "green"]);
const DIGITS: Record<string, number> = { far: 2, height: 1, setback: 1, spacing: 1, density: 1, green: 1, sun_own: 2 };
const NOTED = new Set(["far", "height", "setback", "spacing", "sun_own", "sun_lost"]);
const scaled = (row: Row, value: number): number => (PERCENT.has(row.key) ? value * 100 : value);
export const shown = (row: Row, value: number | null): string => (value === null ? "—" : figure(scaled(row, value), DIGITS[row.key] ?? 0));
export const unitOf = (row: Row): string => (row.unit === "cells" ? say("planner.unit.cells") : row.unit);
export const limitOf = (row: Row): string => (row.limit === null ? "—" : `${row.is_upper ? "≤" : "≥"} ${shown(row, row.limit)}${row.unit ? ` ${unitOf(row)}` : ""}`);

function Cell({ row, top, marks, chosen, onMark }: { row: Row | undefined; top: number; marks: Mark[]; chosen: number; onMark: (m: Mark) => void }): JSX.Element {
  if (!row) return <td />;
  const share = row.value === null || top <= 0 ? 0 : Math.min(1, Math.max(0, row.value / top)), isBad = row.passes === false;
  return (
    <td class={isBad ? "bad" : ""}>
      <div class="figure"><b>{shown(row, row.value)}</b>{row.value !== null && <small>{unitOf(row)}</small>}{row.passes === true && <span class="tick" aria-label="✓">✓</span>}
        {isBad && <span class="locate">✕ {marks.slice(0, 3).map((m) => <button key={m.number} class={`number${m.number === chosen ? " here" : ""}`} aria-label={`${say("planner.locate")} ${m.number}`} onClick={() => onMark(m)}>{m.number}</button>)}{marks.length > 3 && "…"}</span>}</div>
      {row.limit !== null && row.value !== null && top > 0 && <div class="bar"><i style={{ width: `${share * 100}%` }} /><u style={{ left: `${Math.min(100, (row.limit / top) * 100)}%` }} /></div>}
      {isBad && <em>{reason(row)}</em>}
      {row.value === null && <em class="soft">{say(row.key === "sun_lost" ? "planner.unjudged" : row.key === "spacing" || row.key === "sun_own" ? "planner.nothing" : "planner.notsaid")}</em>}
    </td>
  );
}
function reason(row: Row): string {
  if (row.key.startsWith("sun")) return say("planner.dark", { n: row.failed, m: row.total });
  const named = row.breaches.filter((b) => b.name).map((b) => `${(lang.value === "zh" && b.name_zh) || b.name} ${b.storeys}`.trim());
  return named.slice(0, 2).join(" · ") + (named.length > 2 ? " …" : "");
}

export function Table({ results, slots, marks, chosen, onMark }: { results: (Result | null)[]; slots: { id: string }[]; marks: Mark[]; chosen: number; onMark: (m: Mark) => void }): JSX.Element {
  void lang.value;
  const keys = [...new Set(results.flatMap((r) => r?.indicators.map((i) => i.key) ?? []))], find = (side: number, key: string) => results[side]?.indicators.find((i) => i.key === key);
  return (
    <table>
      <thead><tr><th>{say("planner.indicator")}</th><th>{say("planner.limit")}</th>{[0, 1].map((side) => <th key={side}><i class={`letter ${side ? "b" : "a"}`}>{"AB"[side]}</i><span>{results[side] ? named(results[side]!) : slots[side]!.id}</span></th>)}<th>B − A</th></tr></thead>
      <tbody>{keys.map((key) => {
        const a = find(0, key), b = find(1, key), row = (a ?? b)!, top = Math.max(a?.value ?? 0, b?.value ?? 0, row.limit ?? 0) * 1.06, gap = a && b && a.value !== null && b.value !== null ? scaled(row, b.value) - scaled(row, a.value) : null;
        const digits = DIGITS[key] ?? 0, isNil = gap !== null && Math.abs(gap) < 0.5 * 10 ** -digits;
        return (
          <tr key={key}><th scope="row">{say(`planner.row.${key}`)}{NOTED.has(key) && <small>{say(`planner.note.${key}`)}</small>}</th><td class="limit">{limitOf(row)}</td>
            {[a, b].map((r, side) => <Cell key={side} row={r} top={top} marks={marks.filter((m) => m.side === side && m.row.key === key)} chosen={chosen} onMark={onMark} />)}
            <td class="gap">{gap === null ? "—" : isNil ? "0" : `${gap > 0 ? "+" : "−"}${figure(Math.abs(gap), digits)}`}</td></tr>
        );
      })}</tbody>
    </table>
  );
}
