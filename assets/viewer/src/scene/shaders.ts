/** GLSL of the model: light per vertex, façade pattern, lit windows, state colour and fog per fragment. */

/** Flags in the alpha byte of the state texture. */
export const HIDDEN = 1, OVERRIDE = 2, HIGHLIGHT = 4, BLINK = 8, HATCH = 16;

const HEAD = `
precision highp float; precision highp int; precision highp sampler2D;
`;

const COMMON_VERTEX = `${HEAD}
in vec3 position;
in uint node;
uniform mat4 modelMatrix, viewMatrix, projectionMatrix;
uniform float lift;
#ifdef INSTANCED
in mat4 instanceMatrix;
in vec4 _tint;
#define PLACE instanceMatrix
#else
#define PLACE mat4(1.0)
#endif
vec4 placed() {
  #ifdef INSTANCED
  vec4 p = modelMatrix * instanceMatrix * vec4(position, 1.0);
  #else
  vec4 p = modelMatrix * vec4(position, 1.0);
  #endif
  p.z += lift;
  return p;
}
`;

const TONE = `
vec3 tone(vec3 c) {
  c = sqrt(1.0 - exp(-c * exposure));
  c = mix(c, c * c * (3.0 - 2.0 * c), 0.28);
  float grey = dot(c, vec3(0.299, 0.587, 0.114));
  return clamp(mix(vec3(grey), c, 1.1), 0.0, 1.0);
}
`;

export const MODEL_VERTEX = `${COMMON_VERTEX}
in vec4 color;
in vec4 _shade;
in vec2 uv;
uniform sampler2D stateTex;
uniform uint owner;
uniform vec3 sun, sky, groundLight, lawn, paving, eye;
uniform float exposure, night, storeyBase;
out vec3 vLit;
out vec3 vWorld;
out vec2 vUv;
flat out uint vCls;
flat out vec4 vState;
flat out vec4 vOwner;
flat out float vSeed;
${TONE}
vec4 stateOf(uint n) { return texelFetch(stateTex, ivec2(int(n & 511u), int(n >> 9)), 0); }
void main() {
  uint cls = uint(_shade.z + 0.5);
  vec4 p = placed();
  vState = stateOf(node);
  vOwner = stateOf(owner);
  vSeed = fract(float(owner + node * 7u) * 0.6180339);
  vec3 albedo = color.rgb * color.rgb;
  float ao = color.a, lit = _shade.x / 255.0, up = _shade.y / 255.0;
  #ifdef INSTANCED
  albedo *= _tint.rgb * _tint.rgb * (cls == 11u ? 1.0 : 1.0);
  lit *= _tint.a;
  #endif
  bool isGround = (cls >= 6u && cls <= 9u) || cls == 16u;
  if (isGround) { lit = max(up * 2.0 - 1.0, 0.0) * 0.66; ao = 1.0; }
  if (cls == 6u || cls == 11u || cls == 18u) albedo *= lawn;
  else if (cls == 7u || cls == 8u || cls == 16u || cls == 17u) albedo *= paving;
  if (night > 0.5 && (cls == 6u || cls == 18u)) { float g = dot(albedo, vec3(0.3, 0.6, 0.1)); albedo = mix(albedo, g * vec3(0.84, 1.0, 1.24), 0.85); }
  vec3 c = albedo * (mix(groundLight, sky, up) * ao + sun * lit * (0.55 + 0.45 * ao));
  vLit = tone(c);
  if (cls == 12u && night > 0.5) vLit = vec3(1.0, 0.93, 0.78);
  vWorld = p.xyz;
  vUv = uv;
  vCls = cls;
  vec4 v = viewMatrix * p;
  gl_Position = projectionMatrix * v;
  if ((uint(vState.a * 255.0 + 0.5) & 1u) != 0u) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
}
`;

export const MODEL_FRAGMENT = `${HEAD}
in vec3 vLit;
in vec3 vWorld;
in vec2 vUv;
flat in uint vCls;
flat in vec4 vState;
flat in vec4 vOwner;
flat in float vSeed;
uniform vec3 eye, fog, ghostColour, capColour, glass, accent, noneColour;
uniform float fogPerMetre, night, alpha, ghostMix, fade, clipAbove, clipBelow, hasLight, ownerTint, litShare;
uniform vec4 lightBounds;
uniform sampler2D lightTex;
out vec4 outColour;
float hash(vec2 p) { p = fract(p * vec2(0.1031, 0.1137)); p += dot(p, p.yx + 33.33); return fract((p.x + p.y) * p.x); }
/* share of a pixel of width w inside pulses of width d repeating every 1 */
float pulse(float x, float d, float w) {
  float a = x - 0.5 * w + 0.5 * d, b = x + 0.5 * w + 0.5 * d;
  float fa = floor(a) * d + min(fract(a), d), fb = floor(b) * d + min(fract(b), d);
  return clamp((fb - fa) / w, 0.0, 1.0);
}
vec3 facade(vec3 wall) {
  vec2 w = max(fwidth(vUv), vec2(1e-4));
  if (vCls == 5u) { float rib = pulse(vUv.x * 8.0, 0.5, w.x * 8.0); return wall * (1.0 - 0.08 * rib); }
  vec2 size = vCls == 2u ? vec2(0.46, 0.56) : vCls == 3u ? vec2(0.93, 0.52) : vec2(0.90, 0.80);
  vec2 c = vUv - vec2(0.5, vCls == 4u ? 0.5 : 0.54);
  float win = pulse(c.x, size.x, w.x) * pulse(c.y, size.y, w.y);
  vec2 cell = floor(vUv);
  float far = smoothstep(0.5, 1.1, max(w.x, w.y));
  float h = mix(hash(cell + vSeed * 97.0), 0.5, far);
  float luma = dot(wall, vec3(0.3, 0.6, 0.1));
  vec3 pane = glass * (0.72 + 0.42 * luma) * (0.92 + 0.16 * h);
  if (night > 0.5) {
    float dark = hash(vec2(cell.y, vSeed * 53.0)), on = hash(cell * 1.7 + vSeed * 31.0);
    float lit = step(0.22, dark) * step(on, litShare);
    float k = mix(0.35, 1.0, hash(cell * 2.3 + 5.0));
    vec3 lamp = hash(cell + 11.0) < 0.62 ? vec3(1.0, 0.86, 0.62) : vec3(0.86, 0.93, 1.0);
    lit = mix(lit, 0.78 * litShare, far); k = mix(k, 0.6, far); lamp = mix(lamp, vec3(0.95, 0.87, 0.72), far);
    pane = mix(pane, lamp * (0.35 + 0.65 * k), lit);
  }
  return mix(wall, pane, win);
}
/* a real window: glass by day, lit or dark by its own chance at night */
vec3 window(vec3 pane) {
  if (night < 0.5) return mix(pane, glass * (0.75 + 0.5 * pane.g) * (0.92 + 0.16 * vSeed), 0.8);
  float h = hash(vec2(vSeed * 173.0, vSeed * 61.0 + 3.0));
  vec3 lamp = hash(vec2(vSeed * 91.0, 7.0)) < 0.62 ? vec3(1.0, 0.86, 0.62) : vec3(0.86, 0.93, 1.0);
  return h < litShare ? mix(glass, lamp, 0.5 + 0.5 * fract(vSeed * 37.0)) : glass;
}
void main() {
  if (vWorld.z > clipAbove || vWorld.z < clipBelow) discard;
  vec3 c = vLit;
  if (vCls >= 2u && vCls <= 5u) c = facade(c);
  else if (vCls == 1u) c = window(c);
  else if (((vCls >= 6u && vCls <= 9u) || vCls == 16u) && hasLight > 0.5) {
    vec2 q = (vWorld.xy - lightBounds.xy) / (lightBounds.zw - lightBounds.xy);
    if (q.x > 0.0 && q.y > 0.0 && q.x < 1.0 && q.y < 1.0) {
      vec3 l = texture(lightTex, vec2(q.x, 1.0 - q.y)).rgb;
      vec3 shade = mix(vec3(0.62, 0.66, 0.73), vec3(1.0), l.b) * mix(0.62, 1.0, l.r);
      c *= night > 0.5 ? vec3(mix(0.7, 1.0, l.r)) : shade;
      if (night > 0.5) c = mix(c, c * 1.4 + vec3(0.62, 0.50, 0.33), l.g * 0.85);
    }
  }
  c = mix(c, fog, fade);
  uint flags = uint(vState.a * 255.0 + 0.5), of = uint(vOwner.a * 255.0 + 0.5);
  if (ownerTint > 0.0 && (of & 2u) != 0u && vCls < 6u || ownerTint > 0.0 && (of & 2u) != 0u && vCls == 10u) c = mix(c, vOwner.rgb * (0.55 + 0.45 * dot(vLit, vec3(0.333))), ownerTint);
  if ((of & 8u) != 0u && (vCls < 6u || vCls == 10u)) c = mix(c, vOwner.rgb, 0.42);
  if (vCls == 13u) c = mix(c, noneColour, 0.35);
  if ((flags & 2u) != 0u) c = mix(c, vState.rgb, vCls == 13u ? 0.96 : 0.75);
  if ((flags & 16u) != 0u && vCls == 13u) { float s = step(0.5, fract((gl_FragCoord.x + gl_FragCoord.y) / 7.0)); c = mix(noneColour, noneColour * 0.78, s); }
  if ((flags & 4u) != 0u || (of & 4u) != 0u && vCls < 6u) c = mix(c, accent, 0.22);
  #ifdef CAPS
  if (!gl_FrontFacing && (vCls == 0u || vCls == 2u || vCls == 3u || vCls == 4u || vCls == 5u)) c = capColour;
  #endif
  c = mix(c, ghostColour, ghostMix);
  float d = distance(vWorld, eye) * fogPerMetre;
  c = mix(fog, c, exp(-d * d * sqrt(d)));
  outColour = vec4(c, alpha);
}
`;

export const DEPTH_FRAGMENT = `${HEAD}
in vec3 vWorld; uniform float clipAbove, clipBelow; out vec4 outColour;
void main() { if (vWorld.z > clipAbove || vWorld.z < clipBelow) discard; outColour = vec4(0.0); }
`;

/** One pixel, four floats: node, owner, distance from the eye, class. */
export const PICK_VERTEX = `${COMMON_VERTEX}
in vec4 _shade;
uniform sampler2D stateTex;
flat out uint vNode; flat out uint vCls; out vec3 vWorld;
void main() {
  vec4 p = placed(); vWorld = p.xyz; vNode = node; vCls = uint(_shade.z + 0.5);
  gl_Position = projectionMatrix * viewMatrix * p;
  float a = texelFetch(stateTex, ivec2(int(node & 511u), int(node >> 9)), 0).a;
  if ((uint(a * 255.0 + 0.5) & 1u) != 0u) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
}
`;
export const PICK_FRAGMENT = `${HEAD}
flat in uint vNode; flat in uint vCls; in vec3 vWorld;
uniform uint owner; uniform vec3 eye; uniform float clipAbove, clipBelow;
out vec4 outColour;
void main() {
  if (vWorld.z > clipAbove || vWorld.z < clipBelow) discard;
  outColour = vec4(float(vNode), float(owner), distance(vWorld, eye), float(vCls) + 1.0);
}
`;

export const EDGE_VERTEX = `${HEAD}
in vec3 position;
uniform mat4 modelMatrix, viewMatrix, projectionMatrix;
uniform float lift; uniform vec3 eye;
out vec3 vWorld;
void main() {
  vec4 p = modelMatrix * vec4(position, 1.0); p.z += lift; vWorld = p.xyz;
  gl_Position = projectionMatrix * (viewMatrix * p * vec4(0.9990, 0.9990, 0.9990, 1.0));
}
`;
export const EDGE_FRAGMENT = `${HEAD}
in vec3 vWorld; uniform vec3 edgeColour, eye; uniform float edgeAlpha, edgeShare, fogPerMetre, clipAbove, clipBelow; out vec4 outColour;
void main() {
  if (vWorld.z > clipAbove || vWorld.z < clipBelow) discard;
  float d = distance(vWorld, eye) * fogPerMetre;
  outColour = vec4(edgeColour, edgeAlpha * edgeShare * exp(-d * d * 2.0));
}
`;

export const SKY_VERTEX = `${HEAD}
in vec3 position; out vec2 vAt;
void main() { vAt = position.xy; gl_Position = vec4(position.xy, 0.99999, 1.0); }
`;
export const SKY_FRAGMENT = `${HEAD}
in vec2 vAt; uniform mat4 rays; uniform vec3 fog, zenith; out vec4 outColour;
void main() {
  vec4 a = rays * vec4(vAt, 1.0, 1.0); vec3 d = normalize(a.xyz);
  outColour = vec4(mix(fog, zenith, 1.0 - exp(-4.5 * max(d.z, 0.0))), 1.0);
}
`;
export const COPY_FRAGMENT = `${HEAD}
in vec2 vAt; uniform sampler2D picture; uniform float alpha; out vec4 outColour;
void main() { outColour = vec4(texture(picture, vAt * 0.5 + 0.5).rgb, alpha); }
`;
