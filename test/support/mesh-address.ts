/** Where the mesh's parts are; started once by test/mesh-setup.ts. */
export type MeshAddress = {
  gatewayPort: number;
  gatewayUrl: string;
  gatewayAdmin: string;
  prometheusUrl: string;
  /** For tests that ill-treat them: stop (SIGSTOP) and let go (SIGCONT). */
  pids: { istiod: number; envoy: number; prometheus: number };
};

declare module 'vitest' {
  interface ProvidedContext {
    mesh: MeshAddress;
  }
}
