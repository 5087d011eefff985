/** The incident report: asked for, its progress told, saved as a file; a failure says why. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, faultOf } from "../app/api";
import { lang, say } from "../app/words";
import { type Moment, replayApi } from "./api";

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

export function ReportButton({ chosen }: { chosen: Moment | null }): JSX.Element {
  const [told, setTold] = useState<{ busy?: string; share?: number; fault?: string; done?: boolean }>({}), isHere = useRef(true);
  useEffect(() => () => { isHere.current = false; }, []);
  useEffect(() => { setTold((was) => (was.busy ? was : {})); }, [chosen?.id]);
  const incident = chosen?.kind === "incident" ? chosen : null;
  const write = async () => {
    if (!incident) return;
    setTold({ busy: "record", share: 0 });
    try {
      const { key } = await replayApi.report(Number(incident.id), lang.value);
      for (let wait = 400; ; wait = Math.min(2000, wait * 1.3)) {
        const now = await replayApi.reportState(key);
        if (!isHere.current) return;
        if (now.state === "failed") throw new ApiError(422, now);
        if (now.state === "ready") break;
        setTold({ busy: now.step, share: now.share });
        await pause(wait);
      }
      const a = document.createElement("a");
      a.href = replayApi.reportFile(key); a.download = ""; a.click();
      setTold({ done: true });
    } catch (e) { if (isHere.current) setTold({ fault: faultOf(e) }); }
  };
  return (
    <span class="report">
      <button disabled={!incident || !!told.busy} title={incident ? "" : say("replay.report.ask.why")} onClick={() => void write()}>{say("replay.report.ask")}</button>
      {told.busy ? <span role="status"><progress max={1} value={told.share} />{say("replay.report.busy", { n: Math.round((told.share ?? 0) * 100), step: say(`replay.report.step.${told.busy}`) })}</span>
        : told.fault ? <span role="alert">{say("replay.report.failed", { why: told.fault })}</span> : told.done ? <span role="status">{say("replay.report.ready")}</span> : null}
    </span>
  );
}
