/** Scans and reality meshes: photographs in three dimensions, drawn as they are, without light of ours and without things to pick. */
import {
  DoubleSide, GLSL3, Mesh, NoColorSpace, Points, RawShaderMaterial, type BufferGeometry, type IUniform, type Material, type MeshBasicMaterial, type Object3D,
} from "three";

/** What the name of a background's tiles begins with, before the id of its layer. */
export const BACKGROUND = "background:";
/** Metres a background is raised, so that its own ground is seen and not ours, which lies where it was surveyed. */
const RISE = 0.3;
/** Points are drawn this large (css pixels) at least and at most; between, as large as the gap to the next. */
const SMALLEST = 2, LARGEST = 7, COVER = 1.35;

const HEAD = `
precision highp float; precision highp int;
`;
const VERTEX = `${HEAD}
in vec3 position;
uniform mat4 modelMatrix, viewMatrix, projectionMatrix;
uniform float fogPerMetre;
out float vFog;
#ifdef TEXTURED
in vec2 uv;
out vec2 vUv;
#else
in vec4 color;
out vec3 vColour;
#endif
#ifdef POINTS
uniform float spacing, pixels, smallest;
#endif
void main() {
  vec4 p = modelMatrix * vec4(position, 1.0);
  p.z += ${RISE.toFixed(2)};
  vec4 v = viewMatrix * p;
  gl_Position = projectionMatrix * v;
  float x = dot(v.xyz, v.xyz) * fogPerMetre * fogPerMetre;
  vFog = 1.0 / (1.0 + x * (0.3 + x * (0.55 + 0.5 * x)));
  #ifdef TEXTURED
  vUv = uv;
  #else
  vColour = color.rgb;
  #endif
  #ifdef POINTS
  gl_PointSize = clamp(spacing * pixels / max(-v.z, 0.1), smallest, smallest * ${(LARGEST / SMALLEST).toFixed(2)});
  #endif
}
`;
const FRAGMENT = `${HEAD}
in float vFog;
#ifdef TEXTURED
in vec2 vUv;
uniform sampler2D map;
#else
in vec3 vColour;
#endif
uniform vec3 fog;
uniform float night;
out vec4 outColour;
void main() {
  #ifdef TEXTURED
  vec3 c = texture(map, vUv).rgb;
  #else
  vec3 c = vColour;
  #endif
  c *= mix(vec3(1.0), vec3(0.30, 0.36, 0.52), night);
  outColour = vec4(mix(fog, c, vFog), 1.0);
}
`;

export type BackgroundObject = Mesh<BufferGeometry> | Points<BufferGeometry>;

/** Whether an object of a tile is a background's: its node says so. */
export function isBackground(object: Object3D): boolean {
  for (let at: Object3D | null = object; at; at = at.parent) if (at.userData.background) return true;
  return false;
}

function spacingOf(object: Object3D): number {
  for (let at: Object3D | null = object; at; at = at.parent) if (typeof at.userData.spacing === "number") return at.userData.spacing;
  return 0.1;
}

/** The id of the background layer that a tile's layer names, or null. */
export function backgroundOf(layer: string): string | null { return layer.startsWith(BACKGROUND) ? layer.slice(BACKGROUND.length) : null; }

/** Dresses a background's object in a material of its own over the look's shared uniforms. `view`: what the size of points needs. */
export function dressBackground(object: BackgroundObject, shared: Record<string, IUniform>, view: () => { height: number; dpr: number }): void {
  const given = object.material as Material & Partial<Pick<MeshBasicMaterial, "map">>;
  if (given instanceof RawShaderMaterial) return;
  const isPoints = object instanceof Points, picture = object.geometry.getAttribute("uv") ? given.map ?? null : null;
  if (picture) { picture.colorSpace = NoColorSpace; picture.needsUpdate = true; } // our pictures are made in display values
  const own = { spacing: { value: spacingOf(object) }, pixels: { value: 1 }, smallest: { value: SMALLEST }, map: { value: picture } };
  const material = new RawShaderMaterial({
    name: "background", glslVersion: GLSL3, vertexShader: VERTEX, fragmentShader: FRAGMENT, side: DoubleSide, uniforms: { ...shared, ...own },
    defines: { ...(isPoints ? { POINTS: 1 } : {}), ...(picture ? { TEXTURED: 1 } : {}) },
  });
  object.material = material;
  if (isPoints) {
    object.onBeforeRender = (_r, _s, camera) => {
      const { height, dpr } = view();
      own.pixels.value = camera.projectionMatrix.elements[5]! * height * dpr * 0.5 * COVER;
      own.smallest.value = SMALLEST * dpr;
      material.uniformsNeedUpdate = true;
    };
  }
  given.dispose();
}
