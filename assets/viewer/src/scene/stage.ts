/** Canvas, passes and the kept picture: the model is drawn when it changed, refined while the camera rests, and copied otherwise. */
import {
  BufferAttribute, BufferGeometry, Color, DepthTexture, GLSL3, HalfFloatType, InterleavedBuffer,
  InterleavedBufferAttribute, LinearFilter, Mesh, NearestFilter, NoBlending, OrthographicCamera,
  RawShaderMaterial, Scene, UnsignedByteType, UnsignedIntType, Vector2, WebGLRenderTarget, WebGLRenderer, CustomBlending, AddEquation,
  SrcAlphaFactor, OneMinusSrcAlphaFactor, type PerspectiveCamera,
} from "three";
import { raysOf } from "./camera";
import type { Materials } from "./materials";
import { COPY_FRAGMENT, SKY_FRAGMENT, SKY_VERTEX } from "./shaders";

export const SOLID = 1, GHOST = 2, EDGES = 3, VEIL = 4;
const STILL_FRAMES = 10, SWAP_AT = 3;
/** Sub-pixel offsets of the still frames (a low-discrepancy pair, in pixels). */
const JITTER = Array.from({ length: STILL_FRAMES }, (_, i) => [((i * 0.7548777) % 1) - 0.5, ((i * 0.5698403) % 1) - 0.5] as const);

function screenQuad(material: RawShaderMaterial): Mesh {
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(new Float32Array([-1, -1, 0, 3, -1, 0, -1, 3, 0]), 3));
  const mesh = new Mesh(geometry, material);
  mesh.frustumCulled = false;
  return mesh;
}

/** A triangle without area, its attributes as those of a tile's mesh. */
function sample(material: RawShaderMaterial, hasFacade: boolean): Mesh {
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new InterleavedBufferAttribute(new InterleavedBuffer(new Uint16Array(12), 4), 3, 0, true));
  geometry.setAttribute("node", new BufferAttribute(new Uint32Array(3), 1));
  geometry.setAttribute("lit", new BufferAttribute(new Uint8Array(12), 4, true));
  if (hasFacade) geometry.setAttribute("uv", new BufferAttribute(new Float32Array(6), 2));
  geometry.setIndex(new BufferAttribute(new Uint16Array(3), 1));
  const mesh = new Mesh(geometry, material);
  mesh.frustumCulled = false;
  return mesh;
}

function makeRenderer(): WebGLRenderer {
  return new WebGLRenderer({ antialias: false, alpha: false, stencil: false, depth: false, powerPreference: "high-performance" });
}

let early: WebGLRenderer | null = null;
/** Starts WebGL for the view that is about to come, while its data is on the way; on a processor that takes a good part of a second. */
export function prepare(): void {
  try {
    early ??= makeRenderer();
    early.capabilities.getMaxAnisotropy(); // asks the driver once, now that it has nothing else to do
  } catch { early = null; } // the view says so when it comes
}

export class Stage {
  readonly renderer: WebGLRenderer;
  readonly scene = new Scene();
  readonly overlay = new Scene();
  readonly base: WebGLRenderTarget;
  private accumulators: [WebGLRenderTarget, WebGLRenderTarget];
  private shown: "base" | 0 | 1 = "base";
  private samples = 0;
  private readonly sky: Scene = new Scene();
  private readonly copy: Scene = new Scene();
  private readonly copyMaterial: RawShaderMaterial;
  private readonly flat = new OrthographicCamera(-1, 1, 1, -1, 0, 1);
  width = 1; height = 1; dpr = 1;
  /** The part of a larger picture that this window shows, css pixels; null = the picture is the window's own. */
  part: { fullWidth: number; fullHeight: number; x: number; y: number } | null = null;
  readonly clearScratch = new Color();
  /** how many model draws happened, and the time one took from call to read-back end where measured */
  draws = 0;
  triangles = 0;
  hasGhosts = false;
  /** swaps the materials of the ghosts for the depth-only pass and back */
  probeGhosts: (isProbe: boolean) => void = () => undefined;

  constructor(private readonly host: HTMLElement, private readonly camera: PerspectiveCamera, private readonly materials: Materials) {
    this.renderer = early ?? makeRenderer();
    early = null;
    this.renderer.autoClear = false;
    this.renderer.info.autoReset = false;
    const canvas = this.renderer.domElement;
    canvas.style.cssText = "position:absolute;inset:0;width:100%;height:100%;display:block;outline:none";
    host.append(canvas);
    this.base = new WebGLRenderTarget(1, 1, { minFilter: LinearFilter, magFilter: LinearFilter, type: UnsignedByteType, depthTexture: new DepthTexture(1, 1, UnsignedIntType) });
    this.base.depthTexture!.minFilter = this.base.depthTexture!.magFilter = NearestFilter;
    const accumulator = (): WebGLRenderTarget => new WebGLRenderTarget(1, 1, { type: HalfFloatType, depthBuffer: false, minFilter: LinearFilter, magFilter: LinearFilter });
    this.accumulators = [accumulator(), accumulator()];
    const skyMaterial = new RawShaderMaterial({ glslVersion: GLSL3, vertexShader: SKY_VERTEX, fragmentShader: SKY_FRAGMENT, uniforms: materials.shared, depthWrite: false });
    this.sky.add(screenQuad(skyMaterial));
    this.copyMaterial = new RawShaderMaterial({
      glslVersion: GLSL3, vertexShader: SKY_VERTEX, fragmentShader: COPY_FRAGMENT, depthTest: false, depthWrite: false,
      uniforms: { picture: { value: null }, alpha: { value: 1 } }, blending: NoBlending, transparent: true,
      blendEquation: AddEquation, blendSrc: SrcAlphaFactor, blendDst: OneMinusSrcAlphaFactor,
    });
    this.copy.add(screenQuad(this.copyMaterial));
  }

  get canvas(): HTMLCanvasElement { return this.renderer.domElement; }
  get isStill(): boolean { return this.samples >= STILL_FRAMES; }

  resize(maxRatio: number): boolean {
    const width = Math.max(1, this.host.clientWidth), height = Math.max(1, this.host.clientHeight);
    const dpr = Math.min(window.devicePixelRatio || 1, maxRatio);
    if (width === this.width && height === this.height && dpr === this.dpr) return false;
    this.width = width; this.height = height; this.dpr = dpr;
    this.renderer.setPixelRatio(dpr);
    this.renderer.setSize(width, height, false);
    this.frame();
    const [w, h] = this.pixels(1);
    for (const target of this.accumulators) target.setSize(w, h);
    this.samples = 0; this.shown = "base";
    return true;
  }

  /** One picture over several windows: this one shows the part at x, y; null = a picture of its own. */
  setPart(part: { fullWidth: number; fullHeight: number; x: number; y: number } | null): void { this.part = part; this.frame(); this.invalidate(true); }

  /** Height of the whole picture, css pixels. */
  get fullHeight(): number { return this.part?.fullHeight ?? this.height; }

  /** Points the camera at its part, shifted by some of its pixels. */
  private frame(dx = 0, dy = 0, ratio = this.dpr): void {
    const { part, camera, width, height } = this;
    camera.aspect = part ? part.fullWidth / part.fullHeight : width / height;
    if (part || dx || dy) camera.setViewOffset((part?.fullWidth ?? width) * ratio, (part?.fullHeight ?? height) * ratio, (part?.x ?? 0) * ratio + dx, (part?.y ?? 0) * ratio + dy, width * ratio, height * ratio);
    else camera.clearViewOffset();
    camera.updateProjectionMatrix();
  }

  private pixels(ratio: number): [number, number] {
    return [Math.max(1, Math.round(this.width * this.dpr * ratio)), Math.max(1, Math.round(this.height * this.dpr * ratio))];
  }

  /** The picture no longer fits: because the camera moved (drop it) or because data changed (keep it until the new one is smooth). */
  invalidate(hasMoved: boolean): void {
    if (hasMoved) this.shown = "base";
    this.samples = 0;
  }

  /** Draws the model once into the working picture. */
  drawModel(ratio: number, jitter: readonly [number, number] | null, hasEdges = true): void {
    const [w, h] = this.pixels(ratio);
    if (this.base.width !== w || this.base.height !== h) this.base.setSize(w, h);
    this.frame(jitter?.[0], jitter?.[1], this.dpr * ratio);
    const { renderer, camera, materials } = this;
    raysOf(camera, materials.shared.rays!.value);
    materials.shared.eye!.value.copy(camera.position);
    renderer.info.reset();
    renderer.setRenderTarget(this.base);
    renderer.clear(true, true, false);
    this.pass(SOLID);
    renderer.render(this.sky, this.flat);
    this.scene.matrixWorldAutoUpdate = false;
    if (this.hasGhosts) {
      this.probeGhosts(true);
      this.pass(GHOST);
      this.probeGhosts(false);
      this.pass(VEIL);
      this.pass(GHOST);
    }
    if (hasEdges || this.hasGhosts) this.pass(EDGES);
    this.scene.matrixWorldAutoUpdate = true;
    this.triangles = renderer.info.render.triangles;
    renderer.setRenderTarget(null);
    if (jitter) this.frame();
    this.draws++;
  }

  private pass(layer: number): void {
    this.camera.layers.set(layer);
    this.renderer.render(this.scene, this.camera);
  }

  /**
   * Has the driver make what the first picture needs while its data is still on the way: links the programs, then draws nothing with
   * each of them, in the formats that tiles come in. A machine without a graphics card compiles them only then.
   */
  warm(): void {
    const cut = { isInstanced: false, hasFacade: false, isGround: false, hasState: false }, scene = new Scene();
    for (const own of [cut, { ...cut, isGround: true }, { ...cut, hasState: true }, { ...cut, hasFacade: true, hasState: true }]) {
      scene.add(sample(this.materials.surface("solid", own), own.hasFacade));
    }
    const later = new Scene(); // what the second picture adds: linked meanwhile, so that nobody waits for it between the two
    later.add(sample(this.materials.edge("solid"), false));
    const first = this.renderer.compileAsync(scene, this.camera);
    for (const more of [this.sky, this.copy, later, this.overlay]) void this.renderer.compileAsync(more, this.flat);
    void first.then(async () => {
      for (const mesh of [...scene.children, null]) {
        if (this.draws || !this.canvas.isConnected) return;
        for (const other of scene.children) other.visible = other === mesh;
        this.renderer.setRenderTarget(this.base);
        this.renderer.render(mesh ? scene : this.sky, this.flat);
        if (!mesh) this.blend(this.base, null, 1);
        await this.drawn();
      }
    });
  }

  /** When the driver has done all it was told; the page goes on meanwhile. */
  private async drawn(): Promise<void> {
    const gl = this.renderer.getContext() as WebGL2RenderingContext, fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    if (!fence) return;
    gl.flush();
    while (!gl.isContextLost() && gl.getSyncParameter(fence, gl.SYNC_STATUS) === gl.UNSIGNALED) await new Promise((then) => setTimeout(then, 8));
    gl.deleteSync(fence);
  }

  /** One more still frame; answers whether there is more to do. */
  refine(): boolean {
    if (this.isStill) return false;
    if (this.samples === 0 && this.shown !== "base") this.accumulators.reverse();
    if (this.samples === 0 && this.shown !== "base") this.shown = 0;
    this.drawModel(1, this.samples === 0 ? [0, 0] : JITTER[this.samples]!);
    this.blend(this.base, this.accumulators[1], 1 / (this.samples + 1));
    this.samples++;
    if (this.shown === "base" || this.samples >= SWAP_AT) this.shown = 1;
    return !this.isStill;
  }

  private blend(from: WebGLRenderTarget, to: WebGLRenderTarget | null, alpha: number): void {
    this.copyMaterial.uniforms.picture!.value = from.texture;
    this.copyMaterial.uniforms.alpha!.value = alpha;
    this.copyMaterial.blending = alpha < 1 ? CustomBlending : NoBlending;
    this.renderer.setRenderTarget(to);
    this.renderer.render(this.copy, this.flat);
    this.renderer.setRenderTarget(null);
  }

  /** The kept picture and everything that moves over it, onto the canvas. */
  compose(): void {
    const picture = this.shown === "base" ? this.base : this.accumulators[this.shown];
    this.blend(picture, null, 1);
    this.camera.layers.enableAll();
    this.renderer.render(this.overlay, this.camera);
  }

  get pixelSize(): Vector2 { return new Vector2(this.width * this.dpr, this.height * this.dpr); }

  dispose(): void {
    this.base.dispose();
    this.accumulators.forEach((t) => t.dispose());
    this.renderer.dispose();
    this.canvas.remove();
  }
}
