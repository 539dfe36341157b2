/** Where the mesh's parts are; started once by test/mesh-setup.ts. */
export type MeshAddress = {
  gatewayPort: number;
  gatewayUrl: string;
  gatewayAdmin: string;
  /** The sidecar of a pod with the label `app=web` in the namespace `guarded`: nothing runs behind it. */
  sidecarAdmin: string;
  /** The sidecar of a pod that a canary of `shop` in the namespace `guarded-shop` would have. */
  canaryAdmin: string;
  prometheusUrl: string;
  /** For tests that ill-treat them: stop (SIGSTOP) and let go (SIGCONT). */
  pids: { istiod: number; envoy: number; prometheus: number };
};

declare module 'vitest' {
  interface ProvidedContext {
    mesh: MeshAddress;
  }
}
