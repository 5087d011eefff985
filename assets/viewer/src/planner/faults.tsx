/** What is wrong in the files a scheme is made of, each with its line and its mend; what has a place can be flown to. */
import type { JSX } from "preact";
import { pick, say } from "../app/words";
import type { Fault } from "./api";
import type { Notice } from "./parts";

export function Faults({ faults, notices, onNotice }: { faults: Fault[]; notices: Notice[]; onNotice: (n: Notice) => void }): JSX.Element {
  return (
    <section class="planner-faults"><h3>{say("planner.faults", { n: faults.length })}</h3><ul>{faults.map((f, k) => {
      const notice = notices.find((n) => n.file === f.file && n.item.line === f.line);
      return <li key={k}><b>{f.file}{f.line ? ` · ${say("planner.fault.line", { line: f.line })}` : ""}{notice && <button onClick={() => onNotice(notice)}>{say("planner.locate")}</button>}</b><span>{pick(f, "what")}</span><small>{pick(f, "mend")}</small></li>;
    })}</ul></section>
  );
}
