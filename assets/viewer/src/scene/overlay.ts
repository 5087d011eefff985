/** All that is drawn over the model: signs, labels, tracks, shapes, the tools' marks; gathered anew whenever one of them changes. */
import { PerspectiveCamera, type Vector3 } from "three";
import type { Box, Lang, Seams, Theme, World } from "../contract";
import { AlarmSigns } from "./alarms";
import type { OrbitCamera } from "./camera";
import { DeviceSigns } from "./devices";
import { Labels } from "./labels";
import { Measure } from "./measure";
import type { Painter } from "./paint";
import type { Focus, Scope } from "./scope";
import { Section, type SectionActions } from "./section";
import { Shapes } from "./shapes";
import { SpriteBatch, type Sprite } from "./sprites";
import type { Stage } from "./stage";
import { StrokeBatch } from "./strokes";
import { TrackSigns } from "./tracks";

const MOST_LABELS = 60;

/** What the signs of one picture depend on besides themselves. */
export interface Circumstances { focus: Focus; theme: Theme; lang: Lang; isStale: boolean; wall: { signScale: number; seams: Seams; clock: () => number } | null; covered: Box[]; corners: Vector3[]; metresPerPixel: number }

export class Overlay {
  readonly strokes: StrokeBatch;
  readonly shapes: Shapes;
  readonly sprites: SpriteBatch;
  readonly devices: DeviceSigns;
  readonly labels: Labels;
  readonly tracks: TrackSigns;
  readonly alarms: AlarmSigns;
  readonly measure: Measure;
  readonly section: Section;
  private readonly eye = new PerspectiveCamera();

  constructor(world: World, scope: Scope, painter: Painter, private readonly stage: Stage, private readonly orbit: OrbitCamera, box: HTMLElement,
    section: Pick<SectionActions, "metresPerPixel" | "moved">) {
    const depth = stage.base.depthTexture!;
    this.strokes = new StrokeBatch(depth);
    this.sprites = new SpriteBatch(depth);
    this.shapes = new Shapes(depth);
    stage.overlay.add(this.shapes.group, this.strokes.mesh, this.sprites.mesh);
    this.devices = new DeviceSigns(world, scope, this.sprites);
    this.labels = new Labels(world, scope, painter, this.sprites);
    this.tracks = new TrackSigns(world, scope);
    this.alarms = new AlarmSigns(world, scope, this.sprites);
    this.measure = new Measure(this.sprites);
    this.section = new Section(box, this.sprites, {
      ...section, camera: () => orbit.camera, size: () => [stage.width, stage.height], lock: (isLocked) => { orbit.isLocked = isLocked; },
    });
  }

  build({ focus, theme, lang, isStale, wall, covered, corners, metresPerPixel }: Circumstances): void {
    const { stage, orbit, strokes } = this;
    const list: Sprite[] = [];
    const { part, dpr: pixelRatio } = stage, scale = wall?.signScale ?? 1, dpr = pixelRatio * scale, nowMs = wall?.clock() ?? performance.now();
    const metres = metresPerPixel * scale;
    strokes.begin();
    this.shapes.build(strokes, stage.width * pixelRatio, stage.height * pixelRatio, dpr);
    this.tracks.build(focus, theme, isStale, nowMs, metres, list, strokes, dpr);
    this.devices.build(focus, this.alarms.marks, theme, lang, isStale, metres, list, strokes, dpr);
    this.labels.build(focus, theme, lang, list, strokes, corners, dpr);
    this.measure.build(theme, list, strokes, dpr);
    this.section.build(theme, list, strokes, dpr);
    this.alarms.build(focus, theme, lang, wall ? nowMs : Date.now(), orbit.isReduced, part ? this.whole() : orbit.camera, stage.width, stage.height, list, strokes, dpr, !wall);
    strokes.end(stage.width * pixelRatio, stage.height * pixelRatio, orbit.camera.near);
    this.sprites.update(list, orbit.camera, stage.width, stage.height, pixelRatio, MOST_LABELS,
      { x: part?.x ?? 0, y: part?.y ?? 0, width: part?.fullWidth ?? stage.width, height: part?.fullHeight ?? stage.height, seams: wall?.seams ?? null, covered });
    this.sprites.flush(stage.renderer);
  }

  /** The camera of the whole picture, where this window shows a part of it. */
  private whole(): PerspectiveCamera {
    this.eye.copy(this.orbit.camera, false);
    this.eye.clearViewOffset();
    return this.eye;
  }

  dispose(): void { this.section.dispose(); this.sprites.dispose(); this.strokes.dispose(); this.shapes.dispose(); }
}
