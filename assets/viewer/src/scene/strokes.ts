/** Lines of a pixel width in one draw: stems, trails, guides, rings, outlines. Parts behind the model are faded, not lost. */
import {
  BufferAttribute, DynamicDrawUsage, GLSL3, InstancedBufferAttribute, InstancedBufferGeometry, Mesh, RawShaderMaterial, Sphere, Vector2, Vector3, type Texture,
} from "three";

const VERTEX = `precision highp float;
in vec2 position; in vec3 a, b; in vec4 tint; in vec3 style;
uniform mat4 viewMatrix, projectionMatrix; uniform vec2 screen; uniform float nearest;
out vec4 vTint; out vec2 vAlong; out float vBehind;
void main() {
  vec4 va = viewMatrix * vec4(a, 1.0), vb = viewMatrix * vec4(b, 1.0);
  if (va.z > -nearest && vb.z > -nearest) { gl_Position = vec4(2.0); return; }
  if (va.z > -nearest) va = mix(vb, va, (vb.z + nearest) / (vb.z - va.z));
  if (vb.z > -nearest) vb = mix(va, vb, (va.z + nearest) / (va.z - vb.z));
  vec4 ca = projectionMatrix * va, cb = projectionMatrix * vb;
  vec2 pa = ca.xy / ca.w * screen * 0.5, pb = cb.xy / cb.w * screen * 0.5;
  vec2 along = pb - pa; float len = max(length(along), 1e-4); vec2 d = along / len, n = vec2(-d.y, d.x);
  vec4 c = mix(ca, cb, position.x);
  vec2 p = mix(pa, pb, position.x) + n * (position.y - 0.5) * style.x + d * (position.x - 0.5) * style.x * 0.6;
  vTint = tint; vAlong = vec2(position.x * len, style.y); vBehind = style.z;
  gl_Position = vec4(p / screen * 2.0 * c.w, c.z - 0.0006 * c.w, c.w);
}`;
const FRAGMENT = `precision highp float; precision highp sampler2D;
in vec4 vTint; in vec2 vAlong; in float vBehind;
uniform sampler2D depthTex; uniform vec2 screen;
out vec4 outColour;
void main() {
  if (vAlong.y > 0.0 && fract(vAlong.x / vAlong.y) > 0.55) discard;
  float a = vTint.a;
  if (texture(depthTex, gl_FragCoord.xy / screen).r < gl_FragCoord.z) a *= vBehind;
  if (a < 0.01) discard;
  outColour = vec4(vTint.rgb, a);
}`;

export interface StrokeStyle { colour: Vector3; alpha?: number; width?: number; dash?: number; behind?: number }

export class StrokeBatch {
  readonly mesh: Mesh;
  count = 0;
  private readonly geometry = new InstancedBufferGeometry();
  private readonly material: RawShaderMaterial;
  private readonly a: InstancedBufferAttribute; private readonly b: InstancedBufferAttribute;
  private readonly tint: InstancedBufferAttribute; private readonly style: InstancedBufferAttribute;

  constructor(depth: Texture, private readonly capacity = 8192) {
    this.geometry.setAttribute("position", new BufferAttribute(new Float32Array([0, 0, 1, 0, 1, 1, 0, 1]), 2));
    this.geometry.setIndex([0, 1, 2, 0, 2, 3]);
    const instanced = (name: string, size: number): InstancedBufferAttribute => {
      const attribute = new InstancedBufferAttribute(new Float32Array(capacity * size), size);
      attribute.setUsage(DynamicDrawUsage);
      this.geometry.setAttribute(name, attribute);
      return attribute;
    };
    this.a = instanced("a", 3); this.b = instanced("b", 3); this.tint = instanced("tint", 4); this.style = instanced("style", 3);
    this.material = new RawShaderMaterial({
      glslVersion: GLSL3, vertexShader: VERTEX, fragmentShader: FRAGMENT, transparent: true, depthTest: false, depthWrite: false,
      uniforms: { depthTex: { value: depth }, screen: { value: new Vector2(1, 1) }, nearest: { value: 0.5 } },
    });
    this.geometry.boundingSphere = new Sphere();
    this.mesh = new Mesh(this.geometry, this.material);
    this.mesh.frustumCulled = false;
    this.mesh.renderOrder = 5;
  }

  begin(): void { this.count = 0; }

  line(a: Vector3, b: Vector3, style: StrokeStyle, dpr = 1): void {
    if (this.count >= this.capacity) return;
    const i = this.count++;
    this.a.setXYZ(i, a.x, a.y, a.z);
    this.b.setXYZ(i, b.x, b.y, b.z);
    this.tint.setXYZW(i, style.colour.x, style.colour.y, style.colour.z, style.alpha ?? 1);
    this.style.setXYZ(i, (style.width ?? 1.5) * dpr, (style.dash ?? 0) * dpr, style.behind ?? 0.25);
  }

  loop(points: Vector3[], style: StrokeStyle, dpr = 1): void {
    for (let i = 0; i < points.length; i++) this.line(points[i]!, points[(i + 1) % points.length]!, style, dpr);
  }

  /** A flat ring about a point, metres. */
  ring(at: Vector3, radius: number, style: StrokeStyle, dpr = 1): void {
    const points: Vector3[] = [];
    for (let i = 0; i < 28; i++) points.push(new Vector3(at.x + radius * Math.cos((i * Math.PI) / 14), at.y + radius * Math.sin((i * Math.PI) / 14), at.z));
    this.loop(points, style, dpr);
  }

  end(width: number, height: number, nearest: number): void {
    this.geometry.instanceCount = this.count;
    this.material.uniforms.screen!.value.set(width, height);
    this.material.uniforms.nearest!.value = nearest;
    for (const attribute of [this.a, this.b, this.tint, this.style]) {
      attribute.clearUpdateRanges();
      attribute.addUpdateRange(0, this.count * attribute.itemSize);
      attribute.needsUpdate = true;
    }
    this.mesh.visible = this.count > 0;
  }

  dispose(): void { this.geometry.dispose(); this.material.dispose(); }
}
