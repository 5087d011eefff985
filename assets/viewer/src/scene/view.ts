import type { CreateSceneView, SceneView } from "../contract";

/** Stand-in until the scene lands: an empty canvas that answers every call. */
export const createSceneView: CreateSceneView = (host) => {
  const canvas = document.createElement("canvas");
  host.append(canvas);
  const quiet = () => undefined;
  const still = { target: [0, 0, 0] as [number, number, number], distance: 400, azimuth: 0, polar: 1, metresPerPixel: 1 };
  const view: SceneView = {
    goTo: quiet, select: quiet, setTheme: quiet, setLang: quiet, setOverlay: quiet, setLayer: quiet, setAlarms: quiet,
    liveChanged: quiet, setStale: quiet, setCamera: quiet, getCamera: () => still, home: quiet, north: quiet,
    screenshot: () => Promise.resolve(new Blob()), setTool: quiet, on: () => quiet,
    stats: () => ({ frames: 0, frameMs: 0, triangles: 0, tileBytes: 0, rung: "software", recolourMs: 0 }),
    dispose: () => canvas.remove(),
  };
  return view;
};
